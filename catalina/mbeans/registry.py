"""Finds beans by name and pattern.

Most beans come from *sources*, functions that list the present beans: a component that has gone is no longer found,
although nobody tells the registry. Others are registered one by one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from catalina.attributes import Component
from catalina.errors import CatalinaError
from catalina.mbeans.audit import Caller, audit
from catalina.mbeans.managed_bean import ManagedBean, failures
from catalina.mbeans.notification_hub import ATTRIBUTE_CHANGE, AttributeChange, NotificationHub
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.secrets import HIDDEN, looks_secret
from catalina.mbeans.values import BeanAttributeError
from catalina.operations import Impact

__all__ = ["InstanceNotFound", "OperationFailed", "Registry", "Views", "fenced"]

Source = Callable[[], Iterable[tuple[ObjectName, Component]]]


class InstanceNotFound(CatalinaError):
    """No bean has the name."""


class OperationFailed(CatalinaError):
    """The operation was called and raised an exception, which is the cause."""

    def __init__(self, operation: str, name: ObjectName, cause: BaseException) -> None:
        super().__init__(f"{operation} of {name} failed: {cause!r}")
        self.operation = operation


class Views:
    """How a registry shows its beans."""

    def bean(self, component: Component, name: ObjectName) -> ManagedBean:
        """The view of one component."""
        return ManagedBean(component, name)

    def others(self, pattern: ObjectName) -> Iterable[tuple[ObjectName, ManagedBean]]:
        """Beans that no source lists: they are found only by who asks for them."""
        return ()


class Registry:
    """The beans of one server. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registered: dict[ObjectName, Component] = {}
        self._sources: list[Source] = []
        #: A node of several processes shows its beans in another way.
        self.views = Views()
        #: Notifications about the beans.
        self.notifications = NotificationHub(self.names)

    def add_source(self, source: Source) -> None:
        """Include the beans of ``source`` from now on."""
        with self._lock:
            self._sources.append(source)

    def remove_source(self, source: Source) -> None:
        """Undo :meth:`add_source`; an unknown one is ignored."""
        with self._lock:
            if source in self._sources:
                self._sources.remove(source)

    def register(self, name: ObjectName, component: Component) -> None:
        """Add one bean; one of the same name is replaced."""
        with self._lock:
            self._registered[name] = component
        self.notifications.look()

    def unregister(self, name: ObjectName) -> None:
        """Undo :meth:`register`; an unknown name is ignored."""
        with self._lock:
            self._registered.pop(name, None)
        self.notifications.look()

    def find(self, name: ObjectName) -> ManagedBean:
        """The bean of a name.

        Raises:
            InstanceNotFound: there is none now.
        """
        for known, component in self._all():
            if known == name:
                return self.views.bean(component, known)
        for known, bean in self.views.others(name):
            if known == name:
                return bean
        raise InstanceNotFound(str(name))

    def query(self, pattern: ObjectName) -> list[tuple[ObjectName, ManagedBean]]:
        """Every bean whose name the pattern matches, each name once."""
        found: dict[ObjectName, Component] = {}
        for name, component in self._all():
            if pattern.matches(name):
                found.setdefault(name, component)
        return [
            *((name, self.views.bean(component, name)) for name, component in found.items()),
            *self.views.others(pattern),
        ]

    def names(self) -> list[ObjectName]:
        """The names of all beans that are there now."""
        return list(dict.fromkeys(name for name, _ in self._all()))

    def set(self, name: ObjectName, attribute: str, value: object, caller: Caller) -> None:
        """Set an attribute of a bean, from text or a value of its type; leaves an audit line and a notification.

        Raises:
            InstanceNotFound: there is no such bean.
            BeanAttributeError: no such attribute, none that can be set, or no value of its type.
        """
        bean = self.find(name)
        old = bean.value_of(attribute) if attribute in bean.names() else None
        try:
            bean.set(attribute, value)
        except BaseException as fault:
            audit(caller, "set", name, name=attribute, old=old, new=value, failed=fault)
            raise
        new = bean.value_of(attribute) if attribute in bean.names() else value
        audit(caller, "set", name, name=attribute, old=old, new=new)
        kind = bean.type_of(attribute) if attribute in bean.names() else "java.lang.String"
        self.notifications.send(
            ATTRIBUTE_CHANGE, bean.name or name, "AttributeChangeDetected",
            change=AttributeChange(attribute, kind, old, new),
        )  # fmt: skip

    def invoke(
        self, name: ObjectName, operation: str, arguments: Sequence[Any], caller: Caller,
        signature: Sequence[str] | None = None,
    ) -> object:  # fmt: skip
        """Call an operation of a bean; one that changes something leaves an audit line.

        Args:
            arguments: values of the operation's types, or text.
            signature: Java's names of the types, to choose between operations of one name.

        Raises:
            InstanceNotFound, NoSuchOperation, BeanAttributeError: there is no such bean, operation, or value.
            OperationFailed: it raised something.
        """
        bean = self.find(name)
        found = bean.operation(operation, len(arguments), signature)
        quiet = found.impact is Impact.INFO
        told = [
            HIDDEN if value and looks_secret(part.name) else value
            for part, value in zip(found.parameters, arguments, strict=True)
        ]
        try:
            result = bean.invoke(found, arguments)
        except BeanAttributeError:
            raise
        except BaseException as fault:
            audit(caller, "invoke", name, name=operation, new=told, failed=fault)
            raise OperationFailed(operation, name, fault) from fault
        if not quiet:
            audit(caller, "invoke", name, name=operation, new=told)
        return result

    def act(self, name: ObjectName, operation: str) -> object:
        """Call an operation without parameters for an operator whom another component has let in and notes.

        Raises:
            InstanceNotFound, NoSuchOperation: there is no such bean, or operation.
            Exception: whatever the component raises.
        """
        bean = self.find(name)
        return bean.invoke(bean.operation(operation, 0), [])

    def components(self) -> Iterator[tuple[ObjectName, Component]]:
        """Names and components of all beans that are there now."""
        return self._all()

    def _all(self) -> Iterator[tuple[ObjectName, Component]]:
        with self._lock:
            registered, sources = list(self._registered.items()), list(self._sources)
        yield from registered
        for source in sources:
            yield from fenced(source())


def fenced(beans: Iterable[tuple[ObjectName, Component]]) -> Iterator[tuple[ObjectName, Component]]:
    """The beans of a source. When it fails, the beans that it has listed so far, and a log line."""
    try:
        yield from beans
    except GeneratorExit:  # the caller does not want the rest
        raise
    except BaseException:  # noqa: BLE001  # any component's code; the beans of other sources are still shown
        failures.log(logging.WARNING, "beans that cannot be listed", "Some beans cannot be listed", exc_info=True)
