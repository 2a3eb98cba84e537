"""Forward to, or include, another resource of the application (Tomcat: core/ApplicationDispatcher.java).

Both work on the WSGI level: the other resource is called with a copy of the environ, with the filters that are mapped
for that kind of dispatch. Its own path is in the environ of a forward; an include keeps the including request's path
and finds its own in ``jakarta.servlet.include.*`` (Servlet 6.0, sections 9.3 and 9.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from catalina.connector.request import from_wsgi_text, to_wsgi_text
from catalina.connector.uri import normalize, without_path_parameters
from catalina.mapper.servlet_map import ServletMatch

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import StandardWrapper

__all__ = ["ApplicationDispatcher"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

FORWARD = "jakarta.servlet.forward."
INCLUDE = "jakarta.servlet.include."
#: The keys under which a dispatch of each kind keeps the address of the other request.
PARTS = ("request_uri", "context_path", "servlet_path", "path_info", "query_string")
#: The characters that Tomcat leaves unescaped in a path (catalina/util/URLEncoder.java, DEFAULT).
SAFE = "/~-_.!$&'()*+,:;=@"
DISPATCHER_TYPE = "org.apache.catalina.core.DISPATCHER_TYPE"
DISPATCHER_PATH = "org.apache.catalina.core.DISPATCHER_REQUEST_PATH"
#: The servlet of a dispatch by name.
NAMED = "org.apache.catalina.NAMED"
#: The path that a servlet mapped by prefix is mounted at.
MOUNT = "catalina.mount"


class ApplicationDispatcher:
    """A resource of the application: a path, or a servlet by name."""

    def __init__(
        self, context: StandardContext, wrapper: StandardWrapper, mapping: ServletMatch | None, uri: str, query: str
    ) -> None:
        self._context = context
        self._wrapper = wrapper
        self._mapping = mapping
        self._uri = uri
        self._query = query

    @classmethod
    def for_path(cls, context: StandardContext, path: str) -> ApplicationDispatcher | None:
        """See :meth:`ApplicationContext.dispatcher`."""
        if not path.startswith("/"):
            raise ValueError(f"Path {path!r} does not start with a '/' character")
        raw, _, query = path.partition("?")
        decoded: str | None = without_path_parameters(raw)
        if context.dispatchers_use_encoded_paths:
            decoded = _decode(context, decoded or "")
        normal = normalize(decoded) if decoded is not None else None
        if normal is None:
            return None
        mapping = context.servlet_map.find(normal)
        if mapping.wrapper is None:
            return None
        if context.dispatchers_use_encoded_paths:  # the URI stays as it is written; it was decoded only for the mapping
            uri = quote(context.path, safe=SAFE) + raw
        else:
            uri = quote(context.path + raw, safe=SAFE, errors="surrogateescape")
        wrapper: StandardWrapper = mapping.wrapper  # type: ignore[assignment]  # the map has the context's own servlets
        return cls(context, wrapper, mapping, uri, query)

    @classmethod
    def for_servlet(cls, context: StandardContext, name: str) -> ApplicationDispatcher | None:
        """See :meth:`ApplicationContext.named_dispatcher`."""
        wrapper = context.wrappers.get(name)
        return cls(context, wrapper, None, "", "") if wrapper is not None else None

    @property
    def wrapper(self) -> StandardWrapper:
        """The servlet that answers."""
        return self._wrapper

    @property
    def mapping(self) -> ServletMatch | None:
        """The result of the mapping; None for a servlet by name."""
        return self._mapping

    @property
    def uri(self) -> str:
        """The address of the resource on this server, escaped as it was given; empty for a servlet by name."""
        return self._uri

    @property
    def query(self) -> str:
        """The query in the dispatcher's path, empty without one."""
        return self._query

    def application(self, kind: str) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
        """The servlet behind the filters that are mapped for this ``kind`` of dispatch."""
        path = None if self._mapping is None else self._mapping.servlet_path + (self._mapping.path_info or "")
        servlet = self._wrapper.allocate()
        return self._context.filter_chains.chain(self._wrapper.name, path, kind, servlet)

    def forward(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let the other resource answer instead: ``return dispatcher.forward(environ, start_response)``."""
        inner = dict(environ)
        self._mark(inner, "FORWARD")
        mapping = self._mapping
        if mapping is not None:
            for part in PARTS:  # the address of a surrounding include no longer counts
                inner.pop(INCLUDE + part, None)
            _remember(environ, inner)
            inner["SCRIPT_NAME"], inner["PATH_INFO"] = self._script_and_path(mapping)
            inner.pop(MOUNT, None)
            if mapping.path_info is not None:
                inner[MOUNT] = mapping.servlet_path
            self._add_query(environ, inner)
            inner["REQUEST_URI"] = f"{self._uri}?{inner['QUERY_STRING']}" if inner.get("QUERY_STRING") else self._uri
        return self.application("FORWARD")(inner, start_response)

    def include(self, environ: Environ) -> Iterable[bytes]:
        """The other resource's body. Its status and header fields are dropped, because it cannot change the response.

        Raises:
            FileNotFoundError: the default servlet should answer, but there is no such file (section 9.3).
        """
        inner = dict(environ)
        self._mark(inner, "INCLUDE")
        inner["REQUEST_METHOD"] = "GET" if environ.get("REQUEST_METHOD") == "HEAD" else environ.get("REQUEST_METHOD")
        mapping = self._mapping
        if mapping is not None:
            _put_address(
                inner,
                INCLUDE,
                (self._uri, self._context.path, mapping.servlet_path, mapping.path_info, self._query or None),
            )
            self._add_query(environ, inner)
        written: list[bytes] = []

        def start_response(*_: Any) -> object:
            return written.append

        body = self.application("INCLUDE")(inner, start_response)
        try:
            return [*written, *body]
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _mark(self, inner: Environ, kind: str) -> None:
        """Note the kind and the target of a dispatch (Tomcat: Globals.DISPATCHER_TYPE_ATTR and related names)."""
        inner["catalina.dispatcher_type"] = inner[DISPATCHER_TYPE] = kind
        inner.pop(NAMED, None)
        if self._mapping is None:
            inner[NAMED] = self._wrapper.name
        else:
            inner[DISPATCHER_PATH] = self._mapping.servlet_path + (self._mapping.path_info or "")

    def _script_and_path(self, mapping: ServletMatch) -> tuple[str, str]:
        script = to_wsgi_text(self._context.path)
        if mapping.path_info is None:
            return script, to_wsgi_text(mapping.servlet_path)
        return script + to_wsgi_text(mapping.servlet_path), to_wsgi_text(mapping.path_info)

    def _add_query(self, environ: Environ, inner: Environ) -> None:
        """Put the parameters of the dispatcher's path before those of the request (section 9.1.1)."""
        if self._query:
            old = environ.get("QUERY_STRING", "")
            inner["QUERY_STRING"] = f"{self._query}&{old}" if old else self._query


def _decode(context: StandardContext, path: str) -> str | None:
    """Percent-decode; None for an escape of ``/`` or a backslash that the context rejects."""
    for escape, handling in (
        ("%2f", context.encoded_solidus_handling),
        ("%5c", context.encoded_reverse_solidus_handling),
    ):
        if escape in path.lower():
            if handling == "reject":
                return None
            if handling == "passthrough":
                # A doubled percent sign comes out of the decoding below as the escape itself.
                path = path.replace(escape, "%25" + escape[1:]).replace(escape.upper(), "%25" + escape[1:].upper())
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape")


def _put_address(inner: Environ, prefix: str, address: tuple[str | None, ...]) -> None:
    """Set the parts that an address has. A missing part is not in the environ, as a Java attribute is null."""
    for part, value in zip(PARTS, address, strict=True):
        if value is None:
            inner.pop(prefix + part, None)
        else:
            inner[prefix + part] = value


def _remember(environ: Environ, inner: Environ) -> None:
    """Remember the address of the request before the first forward; as in Java, its paths are decoded and lack WSGI's
    encoding.
    """
    if FORWARD + "request_uri" in environ:
        return
    uri = environ.get("REQUEST_URI", "").partition("?")[0]
    script, path = from_wsgi_text(environ.get("SCRIPT_NAME", "")), from_wsgi_text(environ.get("PATH_INFO", ""))
    mount = environ.get(MOUNT)
    context, servlet, info = script, path, None
    if mount is not None:
        context, servlet, info = script.removesuffix(mount), mount, path
    _put_address(inner, FORWARD, (uri, context, servlet, info, environ.get("QUERY_STRING") or None))
