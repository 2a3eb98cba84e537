"""The commands of Jolokia, applied to the beans (Jolokia: service/jmx/handler)."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalina.errors import CatalinaError
from catalina.manager.jolokia.debug import Debug
from catalina.manager.jolokia.discovery import GROUP, PORT, Discovery
from catalina.manager.jolokia.history import History
from catalina.manager.jolokia.listing import listed, wanted_names
from catalina.manager.jolokia.notifications import Notifications
from catalina.manager.jolokia.open_types import is_open
from catalina.manager.jolokia.paths import join_path
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import BadRequest, JolokiaRequest, Parameters
from catalina.manager.jolokia.serializer import Serializer, with_inner
from catalina.mbeans.audit import Caller
from catalina.mbeans.java_errors import JavaError, java_error
from catalina.mbeans.managed_bean import ManagedBean, NoSuchOperation
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry
from catalina.mbeans.values import BeanAttributeError, NotOfType
from catalina.operations import Operation
from catalina.util.server_info import SERVER_INFO, server_number

__all__ = ["AGENT_VERSION", "PROTOCOL_VERSION", "Commands", "Forbidden"]

#: The version of the agent whose behaviour this is; Jolokia's clients tell the generations by the first number.
AGENT_VERSION = f"2.6.1-catalina-{server_number()}"
PROTOCOL_VERSION = "8.2"

_SIGNATURE = re.compile(r"(.*)\((.*)\)", re.DOTALL)
_NOT_FOUND = ("javax.management.InstanceNotFoundException", "javax.management.AttributeNotFoundException")
_WRAPPERS = ("javax.management.ReflectionException", "javax.management.MBeanException")

#: The value, and Java's name of its type if that is known.
Result = tuple[Any, Any]


class Forbidden(CatalinaError):
    """The policy does not allow it."""


class NotChanged(CatalinaError):
    """Nothing has changed since the client's last question."""


class Commands:
    """Answers requests. Any thread.

    Args:
        registry: the beans.
        policy: the allowed requests.
        realm: the name that clients are shown when they have to log in, for ``config``.
        group, port: where agents look for one another.
    """

    def __init__(
        self, registry: Registry, policy: Policy, realm: str = "", group: str = GROUP, port: int = PORT
    ) -> None:
        self._registry = registry
        self._policy = policy
        self._realm = realm
        self._names: frozenset[ObjectName] | None = None
        self._changed = 0
        self._history = History()
        self.notifications = Notifications(registry, policy)
        self._debug = Debug()
        self._beans = {
            self._own_name("Config"): self._debug,
            self._own_name("Discovery"): Discovery(self._id, group, port),
            self._own_name("History"): self._history,
            self._own_name("NotificationStore"): self.notifications,
        }

    def show_beans(self) -> None:
        """Show the agent's own beans (domain ``jolokia``) among the others, until :meth:`hide_beans`."""
        for name, component in self._beans.items():
            self._registry.register(name, component)

    def hide_beans(self) -> None:
        """Undo :meth:`show_beans`."""
        for name in self._beans:
            self._registry.unregister(name)

    def _own_name(self, kind: str) -> ObjectName:
        return ObjectName("jolokia", {"type": kind, "agent": self._id})

    def answer(self, request: JolokiaRequest, caller: Caller) -> dict[str, Any]:
        """The answer as JSON; failures are answers, too.

        Raises:
            BadRequest: the request makes no sense for the present beans.
        """
        shown: dict[str, Any] = {}
        now = int(time.time())
        try:
            value, kind = self._command(request.type)(request, caller)
            # The path of a listing was used already; that of a change leads to the changed part.
            path = request.path if request.type in ("read", "exec") else None
            shown["value"] = Serializer(_limits(request)).json_of(value, path, kind)
            shown["status"] = 200
            older = self._history.seen(request, shown["value"], now)
            if older is not None:
                shown["history"] = older
        except BadRequest:
            raise
        except NotChanged:
            shown["status"] = 304
        except Exception as error:  # noqa: BLE001  # any component's code; a client is told what it was
            shown = error_json(error, request)
        if request.parameters.flag("includeRequest", default=True):
            shown["request"] = request.to_json()
        shown["timestamp"] = now
        self._debug.note(shown, caller)
        return shown

    def _command(self, kind: str) -> Callable[[JolokiaRequest, Caller], Result]:
        commands: Mapping[str, Callable[[JolokiaRequest, Caller], Result]] = {
            "read": self._read, "write": self._write, "exec": self._exec, "list": self._list, "search": self._search,
            "version": self._version, "config": self._config, "notification": self._notification,
        }  # fmt: skip
        if kind not in ("read", "write", "exec", "config") and not self._policy.allows_command(kind):
            raise Forbidden(f"Command {kind} is not allowed")
        return commands[kind]

    # -- read ------------------------------------------------------------------------------------------------------

    def _read(self, request: JolokiaRequest, caller: Caller) -> Result:
        name = _name_of(request)
        if name.is_pattern:
            return self._read_pattern(name, request), ""
        bean = self._find(name)
        if request.attributes is None:
            attribute = request.attribute or ""
            self._check("read", name, attribute, f"Reading attribute {attribute} is forbidden for MBean")
            return bean.get(attribute), bean.type_of(attribute)
        return self._read_several(bean, name, request, request.attributes or tuple(bean.names())), ""

    def _read_pattern(self, pattern: ObjectName, request: JolokiaRequest) -> dict[str, Any]:
        found = [(name, bean) for name, bean in self._registry.query(pattern) if not self._policy.hides(name)]
        if not found:
            raise InstanceNotFound(f"No MBean with pattern {pattern} found for READ request")
        wanted = (request.attribute,) if request.attributes is None else request.attributes
        values: dict[str, Any] = {}
        for name, bean in found:
            there = bean.names()
            inside = self._read_several(bean, name, request, [each for each in wanted if each in there] or
                                        ([] if wanted else there))  # fmt: skip
            if inside:
                values[request.text_of(name)] = inside
        if not values:
            raise BeanAttributeError(f"No attribute found for any MBean matching {pattern} pattern")
        return values

    def _read_several(
        self, bean: ManagedBean, name: ObjectName, request: JolokiaRequest, attributes: Sequence[str | None]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for attribute in attributes:
            text = attribute or ""
            try:
                self._check("read", name, text, f"Reading attribute {text} is forbidden for MBean")
                values[text] = bean.get(text)
            except Exception as error:
                if not request.parameters.flag("ignoreErrors"):
                    raise
                values[text] = basic_error(_unwrapped(error))
        return values

    # -- write, exec -----------------------------------------------------------------------------------------------

    def _write(self, request: JolokiaRequest, caller: Caller) -> Result:
        name, attribute = _name_of(request), request.attribute or ""
        self._check("write", name, attribute, f"Writing attribute {attribute} forbidden for MBean")
        bean = self._find(name)
        infos = {info.name: info for info in bean.info().attributes}
        if attribute not in infos:
            raise BeanAttributeError(f"No such attribute: {attribute}")
        if not infos[attribute].writable:
            raise BeanAttributeError(f"Can't write attribute: {attribute}")
        old, kind = bean.get(attribute) if attribute in bean.names() else None, infos[attribute].type
        value = request.value
        if request.path:
            if is_open(bean):
                raise ValueError(f"Cannot set value for an open type with inner path {join_path(request.path)}")
            value, old = with_inner(old, request.path, value)
            kind = ""
        elif isinstance(value, dict):
            raise BadRequest(f"Can't set {attribute} of {name} to {value!r}")
        try:
            self._registry.set(name, attribute, value, caller)
        except NotOfType as error:
            raise BadRequest(str(error)) from error
        return old, kind

    def _exec(self, request: JolokiaRequest, caller: Caller) -> Result:
        pattern = _name_of(request)
        if not pattern.is_pattern:
            return self._exec_one(pattern, request, caller)
        names = [name for name, _ in self._registry.query(pattern) if not self._policy.hides(name)]
        if not names:
            raise InstanceNotFound(f"No MBean with pattern {pattern} found for EXEC request")
        return {request.text_of(name): self._exec_one(name, request, caller)[0] for name in names}, ""

    def _exec_one(self, name: ObjectName, request: JolokiaRequest, caller: Caller) -> Result:
        operation, signature = _split_signature(request.operation)
        self._check("exec", name, operation, f"Operation {request.operation} forbidden for MBean")
        found = _choose(self._find(name), name, request, operation, signature)
        arguments = request.arguments
        if len(arguments) != len(found.parameters):
            raise BadRequest(
                f"Invalid number of operation arguments. Operation {request.operation} on {name} requires "
                f"{len(found.parameters)} parameters, not {len(arguments)} as given"
            )
        try:
            return self._registry.invoke(name, operation, arguments, caller, found.signature), found.returns
        except NotOfType as error:
            raise BadRequest(str(error)) from error

    # -- search, list ----------------------------------------------------------------------------------------------

    def _search(self, request: JolokiaRequest, caller: Caller) -> Result:
        names = [name for name, _ in self._registry.query(_name_of(request)) if not self._policy.hides(name)]
        return [request.text_of(name) for name in names], ""

    def _list(self, request: JolokiaRequest, caller: Caller) -> Result:
        self._look_for_changes(request.parameters.number("ifModifiedSince"))
        pattern = wanted_names(request.path)
        beans = [(name, bean) for name, bean in self._registry.query(pattern) if not self._policy.hides(name)]
        if not beans and not pattern.is_pattern:
            raise InstanceNotFound(str(pattern))
        return listed(request, beans), ""

    def _look_for_changes(self, since: int) -> None:
        """Raises NotChanged when the client already has the present names."""
        names = frozenset(self._registry.names())
        if names != self._names:
            self._names, self._changed = names, int(time.time())
        if 0 < self._changed < since:
            raise NotChanged

    # -- notifications ---------------------------------------------------------------------------------------------

    def _notification(self, request: JolokiaRequest, caller: Caller) -> Result:
        command = request.notification
        if command is None or not command.command:
            raise ValueError("No command given")
        clients = self.notifications
        name = self._own_name("NotificationStore")
        commands: Mapping[str, Callable[[], object]] = {
            "register": lambda: clients.register(name),
            "unregister": lambda: clients.unregister(command.client),
            "add": lambda: clients.add(command),
            "remove": lambda: clients.remove(command.client, command.handle),
            "ping": lambda: clients.ping(command.client),
            "list": lambda: clients.list(command.client),
        }
        if command.command == "open":
            raise BadRequest("A stream of notifications has to be asked for alone")
        if command.command not in commands:
            raise NotImplementedError(f"No command with name '{command.command}' exists")
        return commands[command.command](), ""

    # -- the agent -------------------------------------------------------------------------------------------------

    @property
    def _id(self) -> str:
        return f"{socket.gethostname()}-{os.getpid()}-catalina"

    def agent_details(self) -> dict[str, Any]:
        """The agent and its server, for those who look for agents."""
        return {
            "agent_version": AGENT_VERSION,
            "agent_id": self._id,
            "server_product": "tomcat",
            "server_vendor": SERVER_INFO.partition("/")[0],
            "server_version": SERVER_INFO.partition("/")[2],
        }

    def _version(self, request: JolokiaRequest, caller: Caller) -> Result:
        details = {**self.agent_details(), "secured": bool(caller.user)}
        value = {
            "agent": AGENT_VERSION, "protocol": PROTOCOL_VERSION, "id": self._id, "details": details,
            "info": {"jmx": {}}, "config": {"agentId": self._id}, "decorators": {},
        }  # fmt: skip
        return value, ""

    def _config(self, request: JolokiaRequest, caller: Caller) -> Result:
        methods = [{"method": "basic", "realm": self._realm}] if self._realm else []
        value = {"agent": AGENT_VERSION, "protocol": PROTOCOL_VERSION, "security": {"authentication": methods}}
        return {**value, "id": self._id}, ""

    # -- common steps ---------------------------------------------------------------------------------------------

    def _find(self, name: ObjectName) -> ManagedBean:
        if self._policy.hides(name):
            raise InstanceNotFound(str(name))
        return self._registry.find(name)

    def _check(self, kind: str, name: ObjectName, member: str, words: str) -> None:
        if not self._policy.allows(kind, name, member):
            raise Forbidden(f"{words} {name.canonical}")


def _name_of(request: JolokiaRequest) -> ObjectName:
    if request.name is None:
        raise BadRequest("Objectname can not be null")
    return request.name


def _limits(request: JolokiaRequest) -> Parameters:
    """The parameters that limit the answer; a listing's maxDepth has another meaning, and has been used."""
    if request.type != "list":
        return request.parameters
    return Parameters({name: value for name, value in request.parameters.values.items() if name != "maxDepth"})


def _split_signature(text: str) -> tuple[str, tuple[str, ...] | None]:
    """``set(int, java.lang.String)`` -> name and types; None without parentheses."""
    found = _SIGNATURE.fullmatch(text)
    if found is None:
        return text, None
    return found[1], tuple(part.strip() for part in found[2].split(",")) if found[2].strip() else ()


def _choose(
    bean: ManagedBean, name: ObjectName, request: JolokiaRequest, operation: str, signature: tuple[str, ...] | None
) -> Operation:
    known = [each for each in bean.info().operations if each.name == operation]
    if not known:
        raise NoSuchOperation(operation, len(request.arguments), bean.class_name, signature)
    signatures = ",".join(f"({','.join(each.signature)})" for each in known)
    if signature is None:
        if len(known) > 1:
            raise BadRequest(
                f"Operation {operation} on MBean {name.canonical} is overloaded. Signatures found: {signatures}. "
                "Use a signature when specifying the operation."
            )
        return known[0]
    for each in known:
        if each.signature == signature:
            return each
    raise BadRequest(
        f"No operation {request.operation} on MBean {name.canonical} exists. Known signatures: {signatures}"
    )


# -- errors --------------------------------------------------------------------------------------------------------


def _unwrapped(error: BaseException) -> JavaError:
    """The exception that Java would have thrown; for one that only wraps another, the wrapped one."""
    if isinstance(error, Forbidden):
        return JavaError("java.lang.Exception", str(error))
    if isinstance(error, NotImplementedError):
        return JavaError("java.lang.UnsupportedOperationException", str(error))
    found = java_error(error)
    return found.cause if found.class_name in _WRAPPERS and found.cause is not None else found


def basic_error(error: JavaError) -> dict[str, Any]:
    """The marks of an error."""
    shown: dict[str, Any] = {".error": True, "error_type": error.class_name,
                             "error": error.message or error.class_name}  # fmt: skip
    cause: JavaError | None = error
    while cause is not None:
        if cause.class_name.startswith("javax.management."):
            shown["error_type_jmx"] = cause.class_name
            break
        cause = cause.cause
    return shown


def error_json(error: BaseException, request: JolokiaRequest | None) -> dict[str, Any]:
    """An answer that is an error, without its request."""
    java = _unwrapped(error)
    shown = basic_error(java)
    shown["status"] = 404 if java.class_name in _NOT_FOUND else 403 if isinstance(error, Forbidden) else 500
    if request is not None and not isinstance(error, Forbidden):
        stack = request.parameters.values.get("includeStackTrace", "false")
        if stack in ("true", "on", "yes", "y", "1") or (
            stack == "runtime" and not java.class_name.startswith("javax.management.")
        ):
            shown["stacktrace"] = java.stack_trace()
        if request.parameters.flag("serializeException"):
            shown["error_value"] = {"message": java.message, "localizedMessage": java.message,
                                    "cause": None, "stackTrace": [], "suppressed": []}  # fmt: skip
    return shown
