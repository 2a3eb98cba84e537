"""Serves the files of an application (Tomcat: servlets/DefaultServlet.java).

Pure functions decide on conditions, ranges and compressed forms (:mod:`conditions`, :mod:`ranges`, and the last
functions here); :mod:`file_changes` changes files (PUT, DELETE).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lxml import etree
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from catalina.attributes import Attribute, AttributeRefused, Component
from catalina.connector.redirect_note import redirect_note
from catalina.connector.request import from_wsgi_text
from catalina.connector.wsgi_adapter import FileWrapper
from catalina.servlets.conditions import BadConditionError, check_conditions, has_conditions, if_range_matches
from catalina.servlets.directory_listing import ListingOrder, html_listing, styled_listing
from catalina.servlets.file_changes import FileChanges, content_range
from catalina.servlets.ranges import ByteRange, UnsatisfiableError, multipart_type, parse_ranges, range_blocks
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig
    from catalina.webresources.resource import Resource

__all__ = ["DefaultServlet", "Environ", "Formats", "StartResponse", "choose", "precompressed_formats", "resource_path"]

log = logging.getLogger("org.apache.catalina.servlets.DefaultServlet")

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]

KIB = 1024
INCLUDE = "jakarta.servlet.include."
NOT_AVAILABLE = "The requested resource [{}] is not available"
#: Coding and the ending of its file, best first; these files lie beside the file itself.
Formats = tuple[tuple[str, str], ...]
DEFAULT: Formats = (("br", ".br"), ("gzip", ".gz"))


def precompressed_formats(text: str) -> Formats:
    """Converter: ``true``, ``false``, or a list such as ``br=.br,gzip=.gz``."""
    word = text.strip().lower()
    if word == "false":
        return ()
    if word == "true":
        return DEFAULT
    found = []
    for part in text.split(","):
        coding, equals, ending = part.strip().partition("=")
        if not equals or not coding or not ending:
            raise AttributeRefused("true, false or a list such as br=.br,gzip=.gz")
        found.append((coding, ending))
    return tuple(found)


class DefaultServlet(Component):
    """The servlet for ``/``: static files, directories, and an answer for missing files."""

    debug = Attribute(int, 0, inert="logging.properties configures the log")
    listings = Attribute(bool, False, doc="List directories that have no welcome file. Costs a look at each entry.")
    readonly = Attribute(bool, True, doc="Refuse PUT and DELETE.")
    input = Attribute(int, 2048, unit="bytes", inert="files are read in blocks of 64 KiB")
    output = Attribute(int, 2048, unit="bytes", inert="files are written in blocks of 64 KiB")
    file_encoding = Attribute(str, None, inert="files are sent as the bytes they are")
    use_bom_if_present = Attribute(str, "true", inert="a byte order mark is sent as it is")
    readme_file = Attribute(str, None, doc="File of the directory, HTML, to show with a listing.")
    sendfile_size = Attribute(int, 48, unit="KiB", doc="From here on the kernel sends the file; negative: never.")
    use_accept_ranges = Attribute(bool, True, doc="Say that ranges are understood.")
    local_xslt_file = Attribute(str, None, doc="Style sheet for listings, in the listed directory.")
    context_xslt_file = Attribute(str, None, doc="Style sheet for listings, relative to the application.")
    global_xslt_file = Attribute(str, None, doc="Style sheet for listings, below conf of base or home.")
    show_server_info = Attribute(bool, True, doc="Name the server below a listing.")
    sort_listings = Attribute(bool, False, doc="Let the client sort by name, size and time; else it is by name.")
    sort_directories_first = Attribute(bool, False, doc="List directories before files.")
    allow_partial_put = Attribute(bool, True, doc="Take PUT with Content-Range as a change of a part of the file.")
    precompressed: Attribute[Formats] = Attribute(
        precompressed_formats, (), doc="Serve .br and .gz files beside a file: true, false or br=.br,gzip=.gz."
    )
    gzip = Attribute(bool, None, doc="Older name: serve .gz files beside a file.")
    use_strong_etags = Attribute(bool, False, xml="useStrongETags", doc="Hash of the content as entity tag.")
    allow_post_as_get = Attribute(bool, True, doc="Answer POST as GET; otherwise 405.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._context: StandardContext
        self._changes: FileChanges

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        self._context = context
        self._changes = FileChanges(context.resources)
        if self.gzip and not self.precompressed:
            self.precompressed = (("gzip", ".gz"),)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD") or environ.get("catalina.dispatcher_type") == "ERROR":
            return self._serve(environ, start_response)
        if method == "POST":
            if self.allow_post_as_get:
                return self._serve(environ, start_response)
            return self._not_allowed(environ, start_response)
        if method == "OPTIONS":
            start_response("200 OK", [("Allow", self._allowed(resource_path(environ))), ("Content-Length", "0")])
            return []
        if method in ("PUT", "DELETE"):
            return self._change(method, environ, start_response)
        message = f"Method [{method}] is not implemented by this Servlet for this URI"
        return send_error(environ, start_response, 501, message)

    # -- GET -----------------------------------------------------------------------------------------------------

    def _serve(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = resource_path(environ)
        if not path:
            return self._redirect(environ, start_response)
        try:
            resource = self._context.resources.get_resource(path)
        except ValueError:
            return self._missing(environ, start_response)
        if not resource.exists:
            return self._check_missing(environ, start_response, resource)
        if resource.is_directory:
            if not path.endswith("/"):
                return self._redirect(environ, start_response)
            return self._list(environ, start_response, resource, path)
        if not resource.can_read:
            if INCLUDE + "request_uri" in environ:
                return self._missing(environ, start_response)
            return self._error(environ, start_response, 403, environ.get("REQUEST_URI"))
        return self._serve_file(environ, start_response, resource)

    def _serve_file(self, environ: Environ, start_response: StartResponse, resource: Resource) -> Iterable[bytes]:
        is_error = environ.get("catalina.dispatcher_type") == "ERROR"
        included = INCLUDE + "context_path" in environ
        etag = self._etag(resource)
        if not is_error and not included:
            try:
                status = check_conditions(environ, etag, resource.mtime_ms)
            except BadConditionError:
                return send_error(environ, start_response, 400)
            if status == 304:
                start_response("304 Not Modified", [("ETag", etag)])
                return []
            if status is not None:
                return send_error(environ, start_response, status)
        headers: Headers = []
        entity = self._choose_form(environ, resource, headers) if self.precompressed and not included else resource
        ranges: list[ByteRange] | None = None
        if not is_error:
            if self.use_accept_ranges:
                headers.append(("Accept-Ranges", "bytes"))
            try:
                ranges = _wanted_ranges(environ, etag, resource.mtime_ms, entity.size)
            except BadConditionError:
                return send_error(environ, start_response, 400)
            except UnsatisfiableError:
                environ["catalina.send_error"]((416, None))
                start_response("416 Range Not Satisfiable", [*headers, ("Content-Range", f"bytes */{entity.size}")])
                return []
            headers += [("ETag", etag), ("Last-Modified", resource.last_modified)]
        content_type = environ.get("catalina.content_type") or self._context.find_mime_type(resource.name)
        if ranges:
            return self._send_ranges(environ, start_response, entity, ranges, headers, content_type)
        if content_type is not None:
            headers.append(("Content-Type", content_type))
        headers.append(("Content-Length", str(entity.size)))
        start_response("200 OK", headers)
        return self._body(environ, entity)

    def _etag(self, resource: Resource) -> str:
        return resource.strong_etag if self.use_strong_etags else resource.etag

    def _choose_form(self, environ: Environ, resource: Resource, headers: Headers) -> Resource:
        """The file itself or a compressed form beside it."""
        if any(resource.path.endswith(ending) for _, ending in self.precompressed):
            return resource
        accept = environ.get("HTTP_ACCEPT_ENCODING")
        varies, chosen = choose(self.precompressed, accept, resource.path, self._context.resources.get_resource)
        if varies:
            headers.append(("vary", "accept-encoding"))
        if chosen is None:
            return resource
        headers.append(("Content-Encoding", chosen[0]))
        return chosen[1]

    def _body(self, environ: Environ, entity: Resource) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "HEAD" or not entity.size:
            return []
        if self.sendfile_size < 0 or entity.size < self.sendfile_size * KIB:
            content = self._context.resources.read(entity)
            if content is not None:
                return [content]
        return FileWrapper(entity.open())

    def _send_ranges(
        self,
        environ: Environ,
        start_response: StartResponse,
        entity: Resource,
        ranges: list[ByteRange],
        headers: Headers,
        content_type: str | None,
    ) -> Iterable[bytes]:
        if len(ranges) == 1:
            only = ranges[0]
            headers.append(("Content-Range", f"bytes {only.start}-{only.end}/{entity.size}"))
            if content_type is not None:
                headers.append(("Content-Type", content_type))
            headers.append(("Content-Length", str(only.length)))
            start_response("206 Partial Content", headers)
            return _partial(entity, only)
        blocks, length = range_blocks(entity, ranges, content_type)
        headers += [("Content-Type", multipart_type()), ("Content-Length", str(length))]
        start_response("206 Partial Content", headers)
        return blocks

    # -- directories ---------------------------------------------------------------------------------------------

    def _list(self, environ: Environ, start_response: StartResponse, directory: Resource, path: str) -> Iterable[bytes]:
        if not self.listings:
            return self._missing(environ, start_response)
        context = self._context
        names = context.resources.names(path)
        entries = [context.resources.get_resource(path + name) for name in names]
        hidden = {self.local_xslt_file, path.rstrip("/") + "/" + (self.local_xslt_file or "")}
        entries = [entry for entry in entries if entry.exists and entry.name not in hidden]
        order = None
        if self.sort_listings:
            order = ListingOrder.of_query(environ.get("QUERY_STRING", ""))
            order.sort(entries)
        if self.sort_directories_first:
            entries.sort(key=lambda entry: not entry.is_directory)
        body = self._page(context, path, entries, order)
        start_response("200 OK", [("Content-Type", "text/html;charset=UTF-8"), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _page(self, context: StandardContext, path: str, entries: list[Resource], order: ListingOrder | None) -> bytes:
        readme = self._readme(path)
        style_sheet = self._style_sheet(path)
        if style_sheet is not None:
            try:
                return styled_listing(style_sheet, context.path, path, entries, readme)
            except (etree.XSLTError, etree.XMLSyntaxError):
                log.exception("XSL transformer error")
        info = context.application_context.server_info if self.show_server_info else None
        return html_listing(context.path, path, entries, readme, info, order).encode()

    def _readme(self, path: str) -> str | None:
        if self.readme_file is None:
            return None
        found = self._context.resources.get_resource(path + self.readme_file)
        return found.read().decode("utf-8", "replace") if found.is_file else None

    def _style_sheet(self, path: str) -> bytes | None:
        resources = self._context.resources
        for name in (
            path + self.local_xslt_file if self.local_xslt_file else None,
            "/" + self.context_xslt_file.lstrip("/") if self.context_xslt_file else None,
        ):
            if name is not None and (found := resources.get_resource(name)).is_file:
                return found.read()
        return self._global_style_sheet()

    def _global_style_sheet(self) -> bytes | None:
        server = self._context.server
        if not self.global_xslt_file or server is None:
            return None
        for directory in (server.catalina_base / "conf", server.catalina_home / "conf"):
            file = (directory / self.global_xslt_file).resolve()
            if file.is_relative_to(directory.resolve()) and file.suffix.lower() in (".xslt", ".xsl") and file.is_file():
                return file.read_bytes()
        return None

    def _redirect(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Redirect to the name with a slash, in the client's spelling."""
        uri, _, query = environ.get("REQUEST_URI", "").partition("?")
        location = "/" + (uri + "/").lstrip("/")  # never //host, which would lead to another host
        if query:
            location += "?" + query
        if not self._context.use_relative_redirects:
            location = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', environ['SERVER_NAME'])}{location}"
        if not self._context.send_redirect_body:
            start_response("302 Found", [("Location", location), ("Content-Length", "0")])
            return []
        body = redirect_note(location)
        start_response("302 Found", [("Location", location), ("Content-Length", str(len(body)))])
        return [body]

    # -- the rest ------------------------------------------------------------------------------------------------

    def _check_missing(self, environ: Environ, start_response: StartResponse, resource: Resource) -> Iterable[bytes]:
        try:
            is_direct = environ.get("catalina.dispatcher_type") not in ("ERROR", "INCLUDE")
            status = None if not is_direct else self._refusal(environ, resource)
        except BadConditionError:
            status = 400
        if status is not None:
            return send_error(environ, start_response, status)
        return self._missing(environ, start_response)

    def _missing(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        included = environ.get(INCLUDE + "request_uri")
        if included is not None:  # the including application must notice (Servlet 6.0, section 9.3)
            raise FileNotFoundError(NOT_AVAILABLE.format(included))
        uri = environ.get("REQUEST_URI", "").partition("?")[0]
        return self._error(environ, start_response, 404, NOT_AVAILABLE.format(uri))

    @staticmethod
    def _error(environ: Environ, start_response: StartResponse, status: int, text: str | None) -> Iterable[bytes]:
        """The error, or the first one again when this is an error page that does not exist."""
        first = environ.get("jakarta.servlet.error.status_code")
        if environ.get("catalina.dispatcher_type") == "ERROR" and first is not None:
            return send_error(environ, start_response, first)
        return send_error(environ, start_response, status, text)

    def _allowed(self, path: str) -> str:
        methods = ["OPTIONS", "GET", "HEAD", "POST"]
        if not self.readonly:
            methods += ["PUT", "DELETE"]
        return ", ".join(methods)

    def _not_allowed(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["catalina.send_error"]((405, None))
        start_response("405 Method Not Allowed", [("Allow", self._allowed(resource_path(environ) or "/"))])
        return []

    def _refusal(self, environ: Environ, resource: Resource) -> int | None:
        """The status of a condition that does not hold; None when the request may go on. Raises BadConditionError."""
        if not has_conditions(environ):
            return None
        # A missing resource has no tag: If-Match keeps a client from creating a file that another has deleted.
        etag = self._etag(resource) if resource.exists else None
        return check_conditions(environ, etag, resource.mtime_ms)

    def _change(self, method: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = resource_path(environ)
        if self.readonly:
            return self._not_allowed(environ, start_response)
        try:
            part = content_range(environ, self.allow_partial_put) if method == "PUT" else None
            resource = self._context.resources.get_resource(path)
            refused = self._refusal(environ, resource)
            if refused is not None:
                return send_error(environ, start_response, refused)
            status = self._changes.put(path, environ, part) if method == "PUT" else self._changes.delete(path)
        except ValueError:
            return send_error(environ, start_response, 400)
        if status == 405:
            return self._not_allowed(environ, start_response)
        if status >= 400:
            return send_error(environ, start_response, status)
        start_response(f"{status} {'Created' if status == 201 else 'No Content'}", [("Content-Length", "0")])
        return []


def resource_path(environ: Environ) -> str:
    """The path inside the application; of the included resource when this is an include."""
    if INCLUDE + "servlet_path" in environ:
        return f"{environ[INCLUDE + 'servlet_path']}{environ.get(INCLUDE + 'path_info') or ''}"
    mount: str = environ.get("catalina.mount", "")
    return mount + from_wsgi_text(environ.get("PATH_INFO", ""))


def _wanted_ranges(environ: Environ, etag: str, mtime_ms: int, size: int) -> list[ByteRange] | None:
    """Ranges count for GET only, and not when If-Range names another state of the file."""
    field = environ.get("HTTP_RANGE")
    if field is None or environ["REQUEST_METHOD"] != "GET":
        return None
    if not if_range_matches(environ.get("HTTP_IF_RANGE"), etag, mtime_ms) or size == 0:
        return None
    return parse_ranges(field, size)


def _partial(entity: Resource, wanted: ByteRange) -> Iterable[bytes]:
    if entity.content is not None:
        return [entity.content[wanted.start : wanted.end + 1]]
    stream = entity.open()
    stream.seek(wanted.start)
    # The Content-Length of the response limits the bytes that are sent of it.
    return FileWrapper(stream) if hasattr(stream, "fileno") and entity.file else [stream.read(wanted.length)]


def choose(
    formats: Formats, accept: str | None, path: str, find: Callable[[str], Resource]
) -> tuple[bool, tuple[str, Resource] | None]:
    """True if there is any compressed form of the file; and the best form that the client accepts, if any.

    Args:
        accept: the request's Accept-Encoding.
        find: looks up a resource.
    """
    present = [(coding, twin) for coding, ending in formats if (twin := find(path + ending)).is_file]
    if not present:
        return False, None
    accepted = parse_accept_header(accept, Accept)
    best: tuple[str, Resource] | None = None
    best_quality = 0.0
    for coding, twin in present:
        quality = accepted.quality(coding) if accept else 0.0
        if quality > best_quality:
            best, best_quality = (coding, twin), quality
    # The file itself counts as the coding identity; a client may like it better.
    identity = accepted.quality("identity") if accept and "identity" in accept else 0.0
    return True, best if best_quality >= identity else None
