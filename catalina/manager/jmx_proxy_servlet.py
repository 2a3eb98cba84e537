"""Beans over HTTP: query, read, set, invoke (Tomcat: manager/JMXProxyServlet.java).

::

    /jmxproxy/?qry=Catalina:type=Manager,*
    /jmxproxy/?get=BEAN&att=NAME[&key=ITEM]
    /jmxproxy/?set=BEAN&att=NAME&val=VALUE
    /jmxproxy/?invoke=BEAN&op=NAME[&ps=A,B]

The answers are Tomcat's to the byte, because scripts and monitoring systems read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from catalina.core.container_servlet import ContainerServlet
from catalina.core.standard_server import StandardServer
from catalina.errors import CatalinaError, DeploymentError
from catalina.mbeans.audit import Caller
from catalina.mbeans.bean_dump import dump_beans, folded, java_value_text
from catalina.mbeans.java_errors import JavaError, java_error
from catalina.mbeans.managed_bean import ManagedBean, NoSuchOperation
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData
from catalina.mbeans.registry import Registry
from catalina.mbeans.values import NotOfType, converted
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig

__all__ = ["JMXProxyServlet"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

#: Parameters of one request; the servlet reads six.
MAX_PARAMETERS = 100
_NUMBERS = ("int", "long", "short", "byte")


class JMXProxyServlet(ContainerServlet):
    """Answers GET. The application's security constraints decide who may ask (role manager-jmx)."""

    def __init__(self) -> None:
        super().__init__()
        self._registry = Registry()

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Find the server's beans.

        Raises:
            DeploymentError: the application is in no server.
        """
        engine: Any = context.parent.parent if context.parent is not None else None
        server = engine.service.server if engine is not None and engine.service is not None else None
        if not isinstance(server, StandardServer):
            raise DeploymentError(f"application [{context.name}] is in no server, so there are no beans to show")
        self._registry = server.mbeans

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            start_response("200 OK", [("Allow", "GET, HEAD, OPTIONS")])
            return []
        if method not in ("GET", "HEAD"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            pairs = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError:
            return send_error(environ, start_response, 400, f"more than {MAX_PARAMETERS} parameters")
        parameters: dict[str, str] = {}
        for name, value in pairs:
            parameters.setdefault(name, value)
        caller = Caller("jmxproxy", environ.get("REMOTE_USER") or "", environ["REMOTE_ADDR"])
        body = "".join(self._answer(parameters, caller)).encode("utf-8", "replace")
        head = [
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Type", "text/plain;charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        start_response("200 OK", head)
        return [body]

    def _answer(self, parameters: dict[str, str], caller: Caller) -> Iterator[str]:
        get = parameters.get
        try:
            if "set" in parameters:
                yield self._set(parameters["set"], get("att"), get("val"), caller)
            elif "get" in parameters:
                yield self._get(parameters["get"], get("att"), get("key"))
            elif "invoke" in parameters:
                yield from self._invoke(parameters["invoke"], get("op"), get("ps"), caller)
            else:
                yield from self._query(get("qry", "*:*") or "")
        except _JavaThrows as thrown:
            yield _error(thrown.error)
        except Exception as fault:  # noqa: BLE001  # a bean's own code; Tomcat answers with whatever it throws
            yield _error(java_error(fault))

    def _query(self, pattern: str) -> Iterator[str]:
        found = self._registry.query(ObjectName.parse(pattern))
        yield f"OK - Number of results: {len(found)}\n\n"
        yield from dump_beans(found)

    def _get(self, bean: str, attribute: str | None, key: str | None) -> str:
        name = ObjectName.parse(bean)
        if attribute is None:
            raise _JavaThrows(
                "javax.management.RuntimeOperationsException",
                "Exception occurred trying to invoke the getter on the MBean",
                JavaError("java.lang.IllegalArgumentException", "Attribute cannot be null"),
            )
        value = self._registry.find(name).get(attribute)
        if key is not None and isinstance(value, CompositeData):
            if key not in value.type.items:
                raise _JavaThrows(
                    "javax.management.openmbean.InvalidKeyException",
                    f'Argument key="{key}" is not an existing item name for this CompositeData instance.',
                )
            value = value.values.get(key)
        text = "<null>" if value is None else java_value_text(value)
        part = "" if key is None else f" - key '{key}'"
        return f"OK - Attribute get '{bean}' - {attribute}{part} = {folded(text)}\n"

    def _set(self, name: str, attribute: str | None, text: str | None, caller: Caller) -> str:
        object_name = ObjectName.parse(name)
        bean = self._registry.find(object_name)
        if attribute is None:
            raise _null("attName")
        kind = bean.type_of(attribute) if attribute in bean.names() else "java.lang.String"
        self._registry.set(object_name, attribute, _of_type(kind, text, attribute), caller)
        return "OK - Attribute set\n"

    def _invoke(self, name: str, operation: str | None, given: str | None, caller: Caller) -> Iterator[str]:
        object_name = ObjectName.parse(name)
        bean = self._registry.find(object_name)
        if operation is None:
            raise _null("opName")
        values = [] if given is None else _java_split(given)
        arguments = self._arguments(bean, name, operation, values)
        result = self._registry.invoke(object_name, operation, arguments, caller)
        if result is None:
            yield f"OK - Operation {operation} without return value\n"
        else:
            yield f"OK - Operation {operation} returned:\n"
            yield from _lines("", result)

    @staticmethod
    def _arguments(bean: ManagedBean, name: str, operation: str, values: list[str]) -> list[Any]:
        try:
            found = bean.operation(operation, len(values))
        except NoSuchOperation as missing:
            raise _JavaThrows(
                "java.lang.IllegalArgumentException",
                f"Cannot find operation [{operation}] with [{len(values)}] arguments on object name [{name}], which is "
                f"a [{missing.class_name}]",
            ) from None
        return [_of_type(part.type, text, part.name) for part, text in zip(found.parameters, values, strict=True)]


class _JavaThrows(CatalinaError):
    """An exception that Java's own code throws before the request reaches a bean."""

    def __init__(self, class_name: str, message: str, cause: JavaError | None = None) -> None:
        super().__init__(message)
        self.error = JavaError(class_name, message, cause)


def _null(variable: str) -> _JavaThrows:
    """The JVM's words for a missing parameter."""
    return _JavaThrows(
        "java.lang.NullPointerException", f'Cannot invoke "String.equals(Object)" because "{variable}" is null'
    )


def _of_type(kind: str, text: str | None, name: str) -> object:
    """Convert as Tomcat's modeler: a text other than ``true`` is false, a number must be one, any other type takes the
    text.
    """
    if text is None and kind in _NUMBERS:
        raise _JavaThrows("java.lang.NumberFormatException", "Cannot parse null string: null")
    if text is not None and kind in _NUMBERS:
        try:
            return converted(kind, text, name)
        except NotOfType:
            raise _JavaThrows("java.lang.NumberFormatException", f'For input string: "{text}"') from None
    return converted(kind, text or "", name) if kind == "boolean" else text


def _java_split(text: str) -> list[str]:
    """Split as Java's ``split(",")``: empty parts at the end do not count, but an empty text is one part."""
    parts = text.split(",")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts if text.strip(",") or not text else []


def _lines(indent: str, value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _lines("  " + indent, item)
    else:
        yield f"{indent}{'<null>' if value is None else java_value_text(value)}\n"


def _error(error: JavaError) -> str:
    return f"Error - {error}\n{error.stack_trace()}\n"
