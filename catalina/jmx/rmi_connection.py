"""One client's connection to the beans (javax.management.remote.rmi.RMIConnection).

Reading needs a login; changing needs a login with ``readwrite`` access, as in the JDK. Only the server's configuration
makes and removes beans, so clients cannot make or unregister any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from catalina.errors import CatalinaError, ProtocolError
from catalina.jmx.java_arguments import (
    NotificationFilter,
    array_items,
    attribute_of,
    attributes_of,
    filter_of,
    name_of,
    texts_of,
    unmarshalled,
    value_of,
)
from catalina.jmx.java_nodes import (
    array,
    attribute_list,
    bean_info_node,
    instance,
    name_set,
    node_set,
    notification_result,
    text,
    value_node,
)
from catalina.jmx.jrmp import VOID, Answer, Method
from catalina.jmx.query_expressions import QUERY_LIMITS, Query
from catalina.mbeans.audit import Caller
from catalina.mbeans.managed_bean import ManagedBean, NoSuchOperation
from catalina.mbeans.notification_hub import Notification
from catalina.mbeans.object_name import DEFAULT_DOMAIN, ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry
from catalina.tribes.io.java.nodes import Node

__all__ = ["METHODS", "AccessDenied", "RmiConnection"]

#: Listeners of one client.
MAX_LISTENERS = 1000
#: Seconds that a client may wait for notifications in one call.
MAX_WAIT = 60.0
#: Attributes that a client may ask for in one call.
MAX_ATTRIBUTES = 10_000

_NAME = "Ljavax/management/ObjectName;"
_MARSHALLED = "Ljava/rmi/MarshalledObject;"
_SUBJECT = "Ljavax/security/auth/Subject;"
_TEXT = "Ljava/lang/String;"
_INSTANCE = "Ljavax/management/ObjectInstance;"
_LIST = "Ljavax/management/AttributeList;"


class AccessDenied(CatalinaError):
    """Java throws a SecurityException."""


class ListenerNotFound(CatalinaError):
    """Java throws a ListenerNotFoundException."""


class RmiConnection:
    """Answers one client. Several threads may call it at once: one of them waits for notifications.

    Args:
        registry: the beans.
        caller: the user, for the audit lines.
        may_change: True for ``readwrite`` access.
        number: tells connections of one process apart.
        ended: called when the client closes it.
    """

    def __init__(
        self, registry: Registry, caller: Caller, may_change: bool, number: int, ended: Callable[[RmiConnection], None]
    ) -> None:
        self._registry = registry
        self.caller = caller
        self._may_change = may_change
        self._number = number
        self._ended = ended
        self._listeners: dict[int, tuple[ObjectName, NotificationFilter]] = {}
        self._next_listener = 1
        self.closed = False
        #: time.monotonic() of the last sign of life.
        self.used = time.monotonic()

    # -- the connection itself

    def get_connection_id(self) -> Answer:
        host = self.caller.address.rpartition(":")[0]
        return text(f"rmi://{host} {self.caller.user} {self._number}")

    def close(self) -> Answer:
        self.closed = True
        self._listeners.clear()
        self._ended(self)
        return VOID

    # -- beans

    def get_default_domain(self, _subject: Node) -> Answer:
        return text(DEFAULT_DOMAIN)

    def get_domains(self, _subject: Node) -> Answer:
        domains = sorted({name.domain for name in self._registry.names()})
        return array("[Ljava.lang.String;", map(text, domains))

    def get_mbean_count(self, _subject: Node) -> Answer:
        return value_node(len(self._registry.names()))

    def query_names(self, pattern: Node, query: Node, _subject: Node) -> Answer:
        return name_set(name for name, _ in self._matching(pattern, query))

    def query_mbeans(self, pattern: Node, query: Node, _subject: Node) -> Answer:
        return node_set([instance(name, bean.modeler_class) for name, bean in self._matching(pattern, query)])

    def _matching(self, pattern: Node, query: Node) -> Iterator[tuple[ObjectName, ManagedBean]]:
        given = unmarshalled(query, QUERY_LIMITS)
        wanted = None if given is None else Query(given)
        for name, bean in self._registry.query(name_of(pattern) or ObjectName.parse("*:*")):
            if wanted is None or wanted.selects(name, bean):
                yield name, bean

    def is_registered(self, name: Node, _subject: Node) -> Answer:
        try:
            self._find(name)
        except InstanceNotFound:
            return False
        return True

    def is_instance_of(self, name: Node, class_name: Node, _subject: Node) -> Answer:
        return self._find(name).is_instance_of(str(value_of(class_name)))

    def get_object_instance(self, name: Node, _subject: Node) -> Answer:
        bean = self._find(name)
        return instance(bean.name or _required(name), bean.modeler_class)

    def get_mbean_info(self, name: Node, _subject: Node) -> Answer:
        return bean_info_node(self._find(name).info())

    def get_attribute(self, name: Node, attribute: Node, _subject: Node) -> Answer:
        bean, wanted = self._find(name), str(value_of(attribute))
        value = bean.get(wanted)
        return value_node(value, bean.type_of(wanted))

    def get_attributes(self, name: Node, attributes: Node, _subject: Node) -> Answer:
        bean, wanted = self._find(name), texts_of(attributes)
        if len(wanted) > MAX_ATTRIBUTES:
            raise ProtocolError(f"{len(wanted)} attributes in one call, the limit is {MAX_ATTRIBUTES}")
        known = set(bean.names())
        pairs = []
        for attribute in wanted:
            if attribute in known:
                value = bean.value_of(attribute)
                pairs.append((attribute, value_node(value, bean.type_of(attribute))))
        return attribute_list(pairs)

    # -- changes

    def set_attribute(self, name: Node, attribute: Node, _subject: Node) -> Answer:
        self._must_change()
        wanted, value = attribute_of(unmarshalled(attribute))
        self._registry.set(_required(name), wanted, value, self.caller)
        return VOID

    def set_attributes(self, name: Node, attributes: Node, _subject: Node) -> Answer:
        self._must_change()
        bean = self._find(name)
        done = []
        for wanted, value in attributes_of(unmarshalled(attributes)):
            try:
                self._registry.set(_required(name), wanted, value, self.caller)
            # as in Java: an attribute that cannot be set is missing in the answer and in the audit log
            except CatalinaError:
                continue
            done.append((wanted, value_node(bean.value_of(wanted), bean.type_of(wanted))))
        return attribute_list(done)

    def invoke(self, name: Node, operation: Node, parameters: Node, signature: Node, _subject: Node) -> Answer:
        self._must_change()
        given = value_of(unmarshalled(parameters))
        arguments = given if isinstance(given, list) else []
        kinds, wanted = texts_of(signature), str(value_of(operation))
        bean_name = _required(name)
        bean = self._registry.find(bean_name)
        accessor = _accessor(bean, wanted, arguments)
        if accessor is not None:
            return self._access(bean, bean_name, accessor, arguments)
        found = bean.operation(wanted, len(arguments), kinds)
        result = self._registry.invoke(bean_name, wanted, arguments, self.caller, kinds)
        return value_node(result, found.returns)

    def _access(self, bean: ManagedBean, name: ObjectName, attribute: str, arguments: list[Any]) -> Answer:
        """``getX()`` or ``setX(value)`` called as an operation, which Tomcat's modeler and some clients do."""
        if arguments:
            self._registry.set(name, attribute, arguments[0], self.caller)
            return None
        return value_node(bean.get(attribute), bean.type_of(attribute))

    def refuse(self, *_arguments: Any) -> Answer:
        """Refuse: clients cannot make or remove beans."""
        raise AccessDenied("beans are made and removed by the server's configuration alone")

    def _must_change(self) -> None:
        if not self._may_change:
            raise AccessDenied("Access denied! Invalid access level for requested MBeanServer operation.")

    # -- notifications

    def add_notification_listeners(self, names: Node, filters: Node, _subjects: Node) -> Answer:
        beans, wanted = array_items(names), array_items(filters)
        if len(beans) != len(wanted):
            raise ProtocolError(f"{len(beans)} beans and {len(wanted)} filters")
        if len(self._listeners) + len(beans) > MAX_LISTENERS:
            raise ProtocolError(f"more than {MAX_LISTENERS} listeners of one client")
        self._registry.notifications.watch()
        numbers = []
        for bean, each in zip(beans, wanted, strict=True):
            found = self._find(bean)
            self._listeners[self._next_listener] = (found.name or _required(bean), filter_of(unmarshalled(each)))
            numbers.append(value_node(self._next_listener))
            self._next_listener += 1
        return array("[Ljava.lang.Integer;", numbers)

    def remove_notification_listeners(self, _name: Node, numbers: Node, _subject: Node) -> Answer:
        wanted = value_of(numbers)
        for number in wanted if isinstance(wanted, list) else []:
            if self._listeners.pop(number, None) is None:
                raise ListenerNotFound(f"Listener not found: {number}")
        return VOID

    def fetch_notifications(self, start: int, most: int, timeout_ms: int) -> Answer:
        seconds = min(max(0, timeout_ms) / 1000, MAX_WAIT)
        earliest, following, found = self._registry.notifications.fetch(
            start, min(max(1, most), 1000), seconds, self._is_wanted, lambda: self.closed
        )
        self.used = time.monotonic()
        told = [(number, one) for one in found for number in self._listeners_of(one)]
        return notification_result(earliest, following, told)

    def _is_wanted(self, one: Notification) -> bool:
        return bool(self._listeners_of(one))

    def _listeners_of(self, one: Notification) -> list[int]:
        return [
            number
            for number, (name, wanted) in list(self._listeners.items())
            if name == one.source and wanted.lets_through(one)
        ]

    def _find(self, name: Node) -> ManagedBean:
        return self._registry.find(_required(name))


def _required(name: Node) -> ObjectName:
    found = name_of(name)
    if found is None:
        raise ProtocolError("expected an ObjectName, got null")
    return found


def _accessor(bean: ManagedBean, operation: str, arguments: list[Any]) -> str | None:
    """The attribute that an operation called ``getX`` or ``setX`` stands for, unless there is such an operation."""
    prefix, name = operation[:3], operation[3:]
    if prefix not in ("get", "set") or not name or len(arguments) != (prefix == "set"):
        return None
    try:
        bean.operation(operation, len(arguments))
    except NoSuchOperation:
        names = bean.names()
        return next((each for each in (name[0].lower() + name[1:], name) if each in names), None)
    return None


def _methods() -> Iterator[tuple[Method, Callable[..., Answer]]]:
    """Each method of the interface, and the function that answers it."""
    c = RmiConnection
    yield Method("getConnectionId", f"(){_TEXT}", ""), c.get_connection_id
    yield Method("close", "()V", ""), c.close
    yield Method("getDefaultDomain", f"({_SUBJECT}){_TEXT}", "o"), c.get_default_domain
    yield Method("getDomains", f"({_SUBJECT})[{_TEXT}", "o"), c.get_domains
    yield Method("getMBeanCount", f"({_SUBJECT})Ljava/lang/Integer;", "o"), c.get_mbean_count
    yield Method("queryNames", f"({_NAME}{_MARSHALLED}{_SUBJECT})Ljava/util/Set;", "ooo"), c.query_names
    yield Method("queryMBeans", f"({_NAME}{_MARSHALLED}{_SUBJECT})Ljava/util/Set;", "ooo"), c.query_mbeans
    yield Method("isRegistered", f"({_NAME}{_SUBJECT})Z", "oo"), c.is_registered
    yield Method("isInstanceOf", f"({_NAME}{_TEXT}{_SUBJECT})Z", "ooo"), c.is_instance_of
    yield Method("getObjectInstance", f"({_NAME}{_SUBJECT}){_INSTANCE}", "oo"), c.get_object_instance
    yield Method("getMBeanInfo", f"({_NAME}{_SUBJECT})Ljavax/management/MBeanInfo;", "oo"), c.get_mbean_info
    yield Method("getAttribute", f"({_NAME}{_TEXT}{_SUBJECT})Ljava/lang/Object;", "ooo"), c.get_attribute
    yield Method("getAttributes", f"({_NAME}[{_TEXT}{_SUBJECT}){_LIST}", "ooo"), c.get_attributes
    yield Method("setAttribute", f"({_NAME}{_MARSHALLED}{_SUBJECT})V", "ooo"), c.set_attribute
    yield Method("setAttributes", f"({_NAME}{_MARSHALLED}{_SUBJECT}){_LIST}", "ooo"), c.set_attributes
    invoke = f"({_NAME}{_TEXT}{_MARSHALLED}[{_TEXT}{_SUBJECT})Ljava/lang/Object;"
    yield Method("invoke", invoke, "ooooo"), c.invoke
    add = f"([{_NAME}[{_MARSHALLED}[{_SUBJECT})[Ljava/lang/Integer;"
    yield Method("addNotificationListeners", add, "ooo"), c.add_notification_listeners
    remove = f"({_NAME}[Ljava/lang/Integer;{_SUBJECT})V"
    yield Method("removeNotificationListeners", remove, "ooo"), c.remove_notification_listeners
    fetch = "(JIJ)Ljavax/management/remote/NotificationResult;"
    yield Method("fetchNotifications", fetch, "jij"), c.fetch_notifications
    yield Method("unregisterMBean", f"({_NAME}{_SUBJECT})V", "oo"), c.refuse
    for between, letters in (
        ("", "ooo"), (_NAME, "oooo"), (f"{_MARSHALLED}[{_TEXT}", "ooooo"), (f"{_NAME}{_MARSHALLED}[{_TEXT}", "oooooo"),
    ):  # fmt: skip
        yield Method("createMBean", f"({_TEXT}{_NAME}{between}{_SUBJECT}){_INSTANCE}", letters), c.refuse
    listener = f"({_NAME}{_NAME}{_MARSHALLED}{_MARSHALLED}{_SUBJECT})V"
    yield Method("addNotificationListener", listener, "ooooo"), c.refuse
    yield Method("removeNotificationListener", listener, "ooooo"), c.refuse
    yield Method("removeNotificationListener", f"({_NAME}{_NAME}{_SUBJECT})V", "ooo"), c.refuse


METHODS = tuple(_methods())
