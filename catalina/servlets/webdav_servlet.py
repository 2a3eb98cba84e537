"""WebDAV on an application's files: classes 1 and 2 of RFC 4918 (Tomcat: servlets/WebdavServlet.java).

Files are served as by the default servlet; with ``readonly`` off, which is not the default, they can be changed. Guard
such a mapping with a security-constraint, because every client that reaches it can write.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from catalina.attributes import Attribute
from catalina.connector.uri import normalize
from catalina.node_state import node_state
from catalina.servlets.conditions import BadConditionError
from catalina.servlets.default_servlet import DefaultServlet, Environ, StartResponse, resource_path
from catalina.servlets.webdav_locks import (
    BadIfError,
    DavLocks,
    Facts,
    Lock,
    LockedError,
    LockTable,
    if_holds,
    parse_timeout,
    tokens_of,
)
from catalina.servlets.webdav_xml import (
    DAV,
    HEAD,
    DavProperties,
    LockInfo,
    PropertyName,
    PropertyStore,
    PropfindRequest,
    StoreFullError,
    multistatus,
    multistatus_errors,
    parse_lockinfo,
    parse_propertyupdate,
    parse_propfind,
    property_element,
)
from catalina.webapp import send_error
from catalina.webresources.unserved_names import is_protected

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig
    from catalina.webresources.resource import Resource

__all__ = ["WebdavServlet"]

XML = "text/xml;charset=UTF-8"
SUPPORTED_LOCK = "".join(
    f"\n  <D:lockentry><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
    for scope in ("exclusive", "shared")
)
#: The properties of the server, in the order in which their names are told.
LIVE = (
    "creationdate", "getcontentlength", "getcontenttype", "getetag", "getlastmodified", "resourcetype", "lockdiscovery",
    "supportedlock",
)  # fmt: skip
#: Characters that stay as they are in an address.
SAFE = "/!$&'()*+,-.:;=@_~"
PORTS = {"http": 80, "https": 443}
#: A URI without a fragment, its escapes whole.
_ADDRESS = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]|%[0-9A-Fa-f]{2})+")
#: Bytes of one name on the file systems of Linux.
NAME_MAX = 255


class _Refused(Exception):
    """The request gets this status and the host's page for it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WebdavServlet(DefaultServlet):
    """The default servlet with PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK and UNLOCK."""

    allow_special_paths = Attribute(bool, False, doc="Reach WEB-INF and META-INF. Whoever can, can run code here.")
    max_depth = Attribute(int, 3, doc="Levels of a PROPFIND without limit; each costs a look at every file of it.")
    max_request_body_size = Attribute(int, 4096, unit="bytes", doc="Longest XML body.")
    property_store = Attribute(str, None, inert="properties are kept in memory")
    serve_subpath_only = Attribute(bool, False, doc="Serve only what is below the mapping's own path.")
    strict_if_processing = Attribute(bool, True, doc="Judge the If field in full; else only its lock tokens count.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._locks = LockTable()
        self._properties = PropertyStore()
        self._methods: dict[str, Callable[[str, Environ], tuple[int, list[tuple[str, str]], bytes]]] = {
            "PROPFIND": self._propfind,
            "PROPPATCH": self._proppatch,
            "MKCOL": self._mkcol,
            "COPY": self._copy,
            "MOVE": self._move,
            "LOCK": self._lock,
            "UNLOCK": self._unlock,
            "DELETE": self._delete,
        }

    def start_servlet(self, config: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        super().start_servlet(config, context)
        self._locks = LockTable(node_state(DavLocks, context, f"locks of {config.name}"))
        self._properties = PropertyStore(node_state(DavProperties, context, f"properties of {config.name}"))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("catalina.dispatcher_type") == "ERROR":
            return super().__call__(environ, start_response)
        path, method = resource_path(environ) or "/", environ["REQUEST_METHOD"]
        if is_protected(path) and not self.allow_special_paths:
            return send_error(environ, start_response, 404)
        if method == "OPTIONS":
            headers = [
                ("DAV", "1,2,3"),
                ("Allow", self._allowed(path)),
                ("MS-Author-Via", "DAV"),
                ("Content-Length", "0"),
            ]
            start_response("200 OK", headers)
            return []
        handler = self._methods.get(method)
        if handler is None:
            return super().__call__(environ, start_response)
        try:
            status, headers, body = handler(path, environ)
        except _Refused as refused:
            if refused.status == 405:
                return self._not_allowed(environ, start_response)
            return send_error(environ, start_response, refused.status)
        except LockedError:
            return send_error(environ, start_response, 423)
        except StoreFullError:
            return send_error(environ, start_response, 507)
        except ValueError:
            return send_error(environ, start_response, 400)
        if body or status not in (204, 304):
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} WebDAV", headers)
        return [body]

    # -- permissions ---------------------------------------------------------------------------------------------

    def _allowed(self, path: str) -> str:
        resource = self._find(path)
        methods = ["OPTIONS", "GET", "POST", "HEAD"]
        if not self.readonly:
            methods.append("DELETE")
            methods += [] if resource.is_directory else ["PUT"]
        methods += ["LOCK", "UNLOCK", "PROPPATCH", "COPY", "MOVE"]
        methods += ["PROPFIND"] if self.listings else []
        methods += [] if resource.exists else ["MKCOL"]
        return ", ".join(methods)

    def _refuse_readonly(self) -> None:
        if self.readonly:
            raise _Refused(403)

    def _check_conditions(self, path: str, environ: Environ) -> None:
        """Refuse what a condition of HTTP or the If field does not allow (Tomcat: WebdavServlet.checkIfHeaders)."""
        try:
            refused = self._refusal(environ, self._find(path))
        except BadConditionError:
            raise _Refused(400) from None
        if refused is not None:
            raise _Refused(refused)
        field = environ.get("HTTP_IF")
        if field is None:
            return
        try:
            holds = if_holds(field, lambda tag: self._facts(path, tag, environ))
        except BadIfError:
            holds = not self.strict_if_processing
        if not holds:
            raise _Refused(412)

    def _facts(self, path: str, tag: str | None, environ: Environ) -> Facts:
        if tag is not None:
            try:
                path = self._own_path(tag, environ)
            except _Refused:
                return None
        resource = self._find(path)
        locked = resource.exists or not self.strict_if_processing
        tokens = {lock.token for lock in self._locks.covering(path.rstrip("/") or "/")} if locked else set()
        return tokens, self._etag(resource) if resource.exists else ""

    def _check_locks(self, path: str, environ: Environ, with_below: bool = False) -> None:
        self._locks.check(path.rstrip("/") or "/", tokens_of(environ.get("HTTP_IF")), with_below=with_below)

    def _change(self, method: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """PUT as in the default servlet, unless a lock stands in the way."""
        path = resource_path(environ) or "/"
        try:
            self._check_conditions(path, environ)
            self._check_locks(path, environ)
        except _Refused as refused:
            return send_error(environ, start_response, refused.status)
        except LockedError:
            return send_error(environ, start_response, 423)
        if self._find(path).is_directory:
            return self._not_allowed(environ, start_response)
        return super()._change(method, environ, start_response)

    def _find(self, path: str) -> Resource:
        return self._context.resources.get_resource(path)

    def _read_body(self, environ: Environ) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > self.max_request_body_size:
            raise _Refused(413)
        body: bytes = environ["wsgi.input"].read(self.max_request_body_size + 1)
        if len(body) > self.max_request_body_size:
            raise _Refused(413)
        return body

    # -- properties ----------------------------------------------------------------------------------------------

    def _propfind(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        if not self.listings:
            raise _Refused(405)
        depth = _depth(environ, {"0": 0, "1": 1, "infinity": self.max_depth})
        wanted = parse_propfind(self._read_body(environ))
        resource = self._find(path)
        self._check_conditions(path, environ)
        if not resource.exists:
            raise _Refused(404)
        responses = [(self._href(each), self._described(each, wanted)) for each in self._tree(resource, depth)]
        return 207, [("Content-Type", XML)], multistatus(responses)

    def _tree(self, resource: Resource, depth: int) -> Iterable[Resource]:
        """The resource and what is below it, level by level."""
        level = [resource]
        for step in range(depth + 1):
            yield from level
            if step == depth:
                return
            level = [
                found
                for parent in level
                if parent.is_directory
                for name in self._context.resources.names(parent.path)
                if (found := self._find(parent.path.rstrip("/") + "/" + name)).exists
                and not self._is_hidden(found.path)
            ]

    def _is_hidden(self, path: str) -> bool:
        return is_protected(path) and not self.allow_special_paths

    def _href(self, resource: Resource) -> str:
        path = resource.path.rstrip("/") + "/" if resource.is_directory else resource.path
        return quote(self._context.path + path, safe=SAFE)

    def _described(self, resource: Resource, wanted: PropfindRequest) -> dict[int, list[str]]:
        live = self._live(resource)
        dead = self._properties.of(resource.path.rstrip("/") or "/")
        if wanted.names_only:
            ordered = sorted(live, key=lambda name: LIVE.index(name[1]))
            return {200: [property_element(name) for name in (*ordered, *dead)]}
        if wanted.all:
            return {200: [*(_live_element(name, inner) for name, inner in live.items()), *dead.values()]}
        found: dict[int, list[str]] = {}
        for name in wanted.names:
            if name in live:
                found.setdefault(200, []).append(_live_element(name, live[name]))
            elif name in dead:
                found.setdefault(200, []).append(dead[name])
            else:
                found.setdefault(404, []).append(property_element(name))
        return found

    def _live(self, resource: Resource) -> dict[PropertyName, str]:
        """The properties that the server itself knows, as their inner XML."""
        created = resource.mtime_ms / 1000
        if resource.file is not None:
            created = os.stat(resource.file).st_ctime
        values = {
            "creationdate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created)),
            "getlastmodified": resource.last_modified,
        }
        if resource.is_file:
            values["getcontentlength"] = str(resource.size)
            kind = self._context.find_mime_type(resource.name)
            values |= {"getcontenttype": kind} if kind is not None else {}
            values["getetag"] = self._etag(resource).replace("&", "&amp;").replace('"', "&quot;")
        values["resourcetype"] = "\n<D:collection/>\n" if resource.is_directory else ""
        values["supportedlock"] = SUPPORTED_LOCK + "\n"
        locks = self._locks.covering(resource.path.rstrip("/") or "/")
        values["lockdiscovery"] = "".join(self._active_lock(lock) for lock in locks)
        return {(DAV, name): value for name, value in values.items()}

    def _proppatch(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        resource = self._find(path)
        self._check_conditions(path, environ)
        if not resource.exists:
            raise _Refused(404)
        self._refuse_readonly()
        self._check_locks(path, environ)
        updates = parse_propertyupdate(self._read_body(environ))
        protected = [update.name for update in updates if update.name[0] == DAV and update.name[1] in LIVE]
        names = list(dict.fromkeys(update.name for update in updates))
        if protected:  # all or nothing
            by_status = {403: [property_element(name) for name in names if name in protected]}
            others = [property_element(name) for name in names if name not in protected]
            by_status |= {424: others} if others else {}
        else:
            self._properties.update(path.rstrip("/") or "/", updates)
            by_status = {200: [property_element(name) for name in names]}
        return 207, [("Content-Type", XML)], multistatus([(self._href(resource), by_status)])

    # -- files ---------------------------------------------------------------------------------------------------

    def _target(self, path: str) -> Path:
        """The file to write; its directory must be there."""
        target = self._context.resources.writable_file(path)
        if target is None:
            raise _Refused(403)
        if not os.path.isdir(target.parent) or len(os.fsencode(target.name)) > NAME_MAX:
            raise _Refused(409)
        return target

    def _mkcol(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._check_conditions(path, environ)
        if self._find(path).exists:
            raise _Refused(405)
        self._refuse_readonly()
        self._check_locks(path, environ)
        if self._read_body(environ):
            raise _Refused(415)
        self._target(path).mkdir()
        self._context.resources.forget_all()
        return 201, [], b""

    def _delete(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        if self.readonly:
            raise _Refused(405)
        self._check_conditions(path, environ)
        self._check_locks(path, environ)
        if not self._find(path).exists:
            raise _Refused(404)
        failed = self._delete_tree(path, self._locks.closed_below(path, tokens_of(environ.get("HTTP_IF"))))
        self._forget(path, partly=bool(failed))
        if failed:
            body = multistatus_errors((quote(self._context.path + each, safe=SAFE), failed[each]) for each in failed)
            return 207, [("Content-Type", XML)], body
        return 204, [], b""

    def _delete_tree(self, path: str, locked: set[str]) -> dict[str, int]:
        """Delete a resource and everything below it; returns path and status of each one that stays, and keeps its
        directories.

        The root of the application, WEB-INF and META-INF stay, as in Tomcat.
        """
        if self._is_hidden(path):
            return {path: 403}
        failed: dict[str, int] = {}
        if self._find(path).is_directory:
            for name in self._all_names(path):
                inner = f"{path.rstrip('/')}/{name}"
                failed |= {inner: 423} if inner in locked else self._delete_tree(inner, locked)
        if failed:
            return failed
        target = self._context.resources.writable_file(path)
        if target is None or path == "/":
            return {path: 405}
        try:
            target.rmdir() if target.is_dir() else target.unlink()
        except OSError:
            return {path: 405}
        return {}

    def _all_names(self, path: str) -> list[str]:
        """The names in a directory, those of the root included that are not listed."""
        names = self._context.resources.names(path)
        if path == "/":
            names += [name for name in ("META-INF", "WEB-INF") if self._find(f"/{name}").exists]
        return names

    def _refuse_unserved(self, path: str) -> None:
        """Refuse to delete a directory that contains source code or a database."""
        if self._context.resources.holds_unserved(path):
            raise _Refused(403)

    def _remove(self, path: str) -> None:
        target = self._target(path)
        self._refuse_unserved(path)
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
        self._forget(path)

    def _forget(self, path: str, partly: bool = False) -> None:
        """Drop the locks and properties of deleted resources; with ``partly`` only of those that no longer exist."""
        self._context.resources.forget_all()
        remains = (lambda each: self._find(each).exists) if partly else None
        self._locks.forget(path.rstrip("/"), remains)
        self._properties.forget(path.rstrip("/"), remains)

    def _copy(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._refuse_readonly()
        return self._transfer(path, environ), [], b""

    def _move(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._refuse_readonly()
        self._check_locks(path, environ, with_below=True)
        self._refuse_unserved(path)
        status = self._transfer(path, environ)
        self._remove(path)
        return status, [], b""

    def _transfer(self, path: str, environ: Environ) -> int:
        """Copy to the Destination; 201 for a new one, 204 for one that was replaced."""
        if not self._find(path).exists:
            raise _Refused(404)
        self._check_conditions(path, environ)
        destination = self._destination(environ)
        source = self._target(path)
        if not source.exists():
            raise _Refused(403)  # it is in an archive, or comes from elsewhere
        inner, outer = destination.rstrip("/") + "/", path.rstrip("/") + "/"
        if inner.startswith(outer) or outer.startswith(inner):
            raise _Refused(403)  # onto itself, into itself, or over a directory that it is in
        self._locks.check(destination, tokens_of(environ.get("HTTP_IF")), with_below=True)
        target = self._target(destination)
        existed = self._find(destination).exists
        if existed and environ.get("HTTP_OVERWRITE", "T").strip().upper() != "T":
            raise _Refused(412)
        deep = _depth(environ, {"0": 0, "infinity": 1}) > 0  # before anything is removed
        if existed:
            self._remove(destination)
        if source.is_dir() and deep:
            self._refuse_unserved(path)
            shutil.copytree(source, target, symlinks=True, copy_function=shutil.copyfile)
        elif source.is_dir():
            target.mkdir()
        else:
            shutil.copyfile(source, target)
        self._properties.copy(path.rstrip("/"), destination.rstrip("/"))
        self._context.resources.forget_all()
        return 204 if existed else 201

    def _destination(self, environ: Environ) -> str:
        """The path in this application that the Destination field names."""
        path = self._own_path(environ.get("HTTP_DESTINATION", ""), environ)
        mount = environ.get("catalina.mount", "")
        if self.serve_subpath_only and not path.startswith(mount + "/"):
            raise _Refused(403)
        return path

    def _own_path(self, field: str, environ: Environ) -> str:
        """The path in this application that an address in a header field names (RFC 4918 section 8.3)."""
        if _ADDRESS.fullmatch(field) is None:
            raise _Refused(400)
        url = urlsplit(field)
        if not url.path:
            raise _Refused(400)
        if (url.scheme or url.netloc) and _origin(url, environ) != _origin(
            urlsplit(f"//{environ.get('HTTP_HOST', '')}"), environ
        ):
            raise _Refused(403)  # another server is responsible
        decoded = unquote_to_bytes(url.path).decode("utf-8")
        if normalize(decoded) != decoded:
            raise _Refused(400)
        prefix = self._context.path
        if not decoded.startswith(prefix + "/"):
            raise _Refused(403)
        path = decoded[len(prefix) :]
        if self._is_hidden(path):
            raise _Refused(403)
        return path

    # -- locks ---------------------------------------------------------------------------------------------------

    def _lock(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._refuse_readonly()
        self._check_conditions(path, environ)
        deep = _depth(environ, {"0": 0, "infinity": 1}) > 0
        body = self._read_body(environ)
        timeout = parse_timeout(environ.get("HTTP_TIMEOUT"))
        key = path.rstrip("/") or "/"
        if not body.strip():
            if "HTTP_IF" not in environ:
                raise _Refused(400)
            lock = self._locks.refresh(key, tokens_of(environ.get("HTTP_IF")), timeout)
            if lock is None:
                raise _Refused(412)
            return 200, [("Content-Type", XML)], self._discovery(lock)
        info: LockInfo = parse_lockinfo(body)
        made = not self._find(path).exists
        target = self._target(path) if made else None
        lock = self._locks.acquire(key, info.exclusive, deep, info.owner, timeout)
        if target is not None:  # a name can be locked before there is a file (section 7.3)
            target.touch()
            self._context.resources.forget_all()
        headers = [("Lock-Token", f"<{lock.token}>"), ("Content-Type", XML)]
        return 201 if made else 200, headers, self._discovery(lock)

    def _unlock(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._refuse_readonly()
        self._check_conditions(path, environ)
        if "HTTP_LOCK_TOKEN" not in environ:
            raise _Refused(400)
        tokens = tokens_of(environ["HTTP_LOCK_TOKEN"])
        if len(tokens) != 1 or not self._locks.release(path.rstrip("/") or "/", tokens[0]):
            href = f"<D:href>{escape(self._href(self._find(path)))}</D:href>"
            condition = f"<D:lock-token-matches-request-uri>\n{href}\n</D:lock-token-matches-request-uri>"
            error = f'{HEAD}<D:error xmlns:D="{DAV}">\n{condition}\n</D:error>\n'
            return 409, [("Content-Type", XML)], error.encode()
        return 204, [], b""

    def _discovery(self, lock: Lock) -> bytes:
        inner = property_element((DAV, "lockdiscovery"), self._active_lock(lock))
        return f'{HEAD}<D:prop xmlns:D="{DAV}">\n{inner}\n</D:prop>\n'.encode()

    def _active_lock(self, lock: Lock) -> str:
        scope = "exclusive" if lock.exclusive else "shared"
        owner = f"<D:owner>{lock.owner}</D:owner>\n" if lock.owner else ""
        root = escape(self._href(self._find(lock.path)))
        return (
            f"\n<D:activelock>\n<D:locktype>\n<D:write/>\n</D:locktype>\n"
            f"<D:lockscope>\n<D:{scope}/>\n</D:lockscope>\n<D:depth>{'Infinity' if lock.deep else '0'}</D:depth>\n"
            f"{owner}<D:timeout>Second-{lock.timeout}</D:timeout>\n"
            f"<D:lockroot>\n<D:href>{root}</D:href>\n</D:lockroot>\n"
            f"<D:locktoken>\n<D:href>{lock.token}</D:href>\n</D:locktoken>\n</D:activelock>\n"
        )


def _depth(environ: Environ, depths: dict[str, int]) -> int:
    """The Depth field as a number; without one it is infinity. Another word than the method takes is 400."""
    depth = depths.get(environ.get("HTTP_DEPTH", "infinity"))
    if depth is None:
        raise _Refused(400)
    return depth


def _origin(url: SplitResult, environ: Environ) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, with what is left out filled in. Raises ValueError: the port is no number."""
    scheme = url.scheme or environ["wsgi.url_scheme"]
    return scheme, url.hostname, url.port or PORTS.get(scheme)


def _live_element(name: PropertyName, inner: str) -> str:
    if name == (DAV, "lockdiscovery") and not inner:
        return "<D:lockdiscovery></D:lockdiscovery>"
    return property_element(name, inner)
