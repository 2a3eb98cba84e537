"""XML that WebDAV clients send and get (RFC 4918, sections 9, 13 and 14)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape

from lxml import etree

from catalina.node_state import NodeState

__all__ = [
    "BadBodyError",
    "DavProperties",
    "LockInfo",
    "PropertyName",
    "PropertyStore",
    "PropertyUpdate",
    "PropfindRequest",
    "StoreFullError",
    "multistatus",
    "multistatus_errors",
    "parse_lockinfo",
    "parse_propertyupdate",
    "parse_propfind",
    "property_element",
]


DAV = "DAV:"
#: Namespace and local name.
PropertyName = tuple[str, str]

HEAD = '<?xml version="1.0" encoding="utf-8" ?>\n'
#: Characters of all properties together; clients choose them.
MAX_CHARACTERS = 16 * 2**20


class BadBodyError(ValueError):
    """The body is not the XML that the method takes: 400."""


@dataclass(frozen=True, slots=True)
class PropfindRequest:
    """The wanted properties: only their ``names``, or all of them, or those with certain names."""

    names: tuple[PropertyName, ...] = ()
    all: bool = True
    names_only: bool = False


@dataclass(frozen=True, slots=True)
class PropertyUpdate:
    """One change: ``value`` is the element as XML, None removes it."""

    name: PropertyName
    value: str | None


@dataclass(frozen=True, slots=True)
class LockInfo:
    """The kind of lock that is wanted, and the owner element's content."""

    exclusive: bool = True
    owner: str = ""


def _parse(body: bytes, root_name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as exc:
        raise BadBodyError(str(exc)) from None
    if root.getroottree().docinfo.doctype:
        raise BadBodyError("a document type is not taken: its entities would be somebody else's text")
    if _name(root) != (DAV, root_name):
        raise BadBodyError(f"expected <{root_name}> of DAV:, found {root.tag!r}")
    return root


def _name(element: etree._Element) -> PropertyName:
    if not isinstance(element.tag, str):
        return "", ""  # a comment or an entity reference
    try:
        name = etree.QName(element)
    except ValueError:  # libxml2 takes <D:prop> without xmlns:D for an element that is called so
        raise BadBodyError(f"the namespace of <{element.tag:.100}> is not declared") from None
    return name.namespace or "", name.localname


def _elements(parent: etree._Element) -> Iterable[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str))


def parse_propfind(body: bytes) -> PropfindRequest:
    """The body of PROPFIND; an empty one asks for everything. Raises BadBodyError."""
    if not body.strip():
        return PropfindRequest()
    found: list[PropfindRequest] = []
    for child in _elements(_parse(body, "propfind")):
        match _name(child):
            case (str(namespace), "propname") if namespace == DAV:
                found.append(PropfindRequest(all=False, names_only=True))
            case (str(namespace), "prop") if namespace == DAV:
                found.append(PropfindRequest(tuple(_name(each) for each in _elements(child)), all=False))
            case (str(namespace), "allprop") if namespace == DAV:
                found.append(PropfindRequest())
    if len(found) != 1:
        raise BadBodyError(f"<propfind> needs one of <prop>, <propname> and <allprop>, found {len(found)}")
    return found[0]


def parse_propertyupdate(body: bytes) -> list[PropertyUpdate]:
    """The body of PROPPATCH, in the order of the changes. Raises BadBodyError."""
    updates = []
    for action in _elements(_parse(body, "propertyupdate")):
        if _name(action) not in ((DAV, "set"), (DAV, "remove")):
            continue
        for prop in _elements(action):
            if _name(prop) != (DAV, "prop"):
                continue
            for each in _elements(prop):
                value = etree.tostring(each, encoding="unicode", with_tail=False)
                updates.append(PropertyUpdate(_name(each), value if _name(action)[1] == "set" else None))
    if not updates:
        raise BadBodyError("<propertyupdate> changes nothing")
    return updates


def parse_lockinfo(body: bytes) -> LockInfo:
    """The body of LOCK. Raises BadBodyError."""
    root = _parse(body, "lockinfo")
    scope = root.find(f"{{{DAV}}}lockscope")
    kind = root.find(f"{{{DAV}}}locktype")
    if scope is None or kind is None or kind.find(f"{{{DAV}}}write") is None:
        raise BadBodyError("<lockinfo> needs <lockscope> and a <locktype> of <write>")
    owner = root.find(f"{{{DAV}}}owner")
    inner = ""
    if owner is not None:
        parts = [escape(owner.text or "")]
        parts += [etree.tostring(each, encoding="unicode") for each in _elements(owner)]
        inner = "".join(parts)
    scopes = [_name(each) for each in _elements(scope)]
    if scopes not in ([(DAV, "exclusive")], [(DAV, "shared")]):
        raise BadBodyError(f"<lockscope> takes <exclusive> or <shared>, found {scopes}")
    return LockInfo(scopes[0][1] == "exclusive", inner)


def property_element(name: PropertyName, inner: str = "") -> str:
    """``<D:getetag>...</D:getetag>``; a name of another namespace declares it."""
    namespace, local = name
    tag, declaration = (f"D:{local}", "") if namespace == DAV else (local, f' xmlns="{escape(namespace)}"')
    return f"<{tag}{declaration}>{inner}</{tag}>" if inner else f"<{tag}{declaration}/>"


def multistatus(responses: Iterable[tuple[str, Mapping[int, list[str]]]]) -> bytes:
    """A 207 body.

    Args:
        responses: the href, and the properties' XML by the status of each.
    """
    parts = [HEAD, f'<D:multistatus xmlns:D="{DAV}">\n']
    for href, by_status in responses:
        parts.append(f"<D:response>\n<D:href>{escape(href)}</D:href>\n")
        for status, properties in by_status.items():
            inner = "".join(f"{each}\n" for each in properties)
            error = "<D:error>\n<D:cannot-modify-protected-property/>\n</D:error>\n" if status == 403 else ""
            parts.append(
                f"<D:propstat>\n<D:prop>\n{inner}</D:prop>\n<D:status>HTTP/1.1 {status} </D:status>\n"
                f"{error}</D:propstat>\n"
            )
        parts.append("</D:response>\n")
    parts.append("</D:multistatus>\n")
    return "".join(parts).encode()


def multistatus_errors(errors: Iterable[tuple[str, int]]) -> bytes:
    """A 207 body that tells what could not be done: href and status of each."""
    parts = [HEAD, f'<D:multistatus xmlns:D="{DAV}">\n']
    for href, status in errors:
        parts.append(
            f"<D:response>\n<D:href>{escape(href)}</D:href>\n<D:status>HTTP/1.1 {status} </D:status>\n</D:response>\n"
        )
    parts.append("</D:multistatus>\n")
    return "".join(parts).encode()


class StoreFullError(Exception):
    """There is no room for another property: 507."""


class DavProperties(NodeState):
    """Path -> properties as XML elements, in all processes of a node, as JSON can say them. Any thread."""

    shared = frozenset({"copy", "of", "paths", "remove", "update"})

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        self._by_path: dict[str, dict[PropertyName, str]] = {}
        self._characters = 0
        self._max_characters = max_characters
        self._guard = threading.Lock()

    def of(self, path: str) -> list[list[str]]:
        """The properties of a resource: namespace, local name, element."""
        with self._guard:
            return [[*name, value] for name, value in self._by_path.get(path, {}).items()]

    def paths(self, path: str) -> list[str]:
        """The resources with properties at a path and below it."""
        with self._guard:
            return [each for each in self._by_path if each == path or each.startswith(path.rstrip("/") + "/")]

    def update(self, path: str, updates: list[tuple[PropertyName, str | None]]) -> bool:
        """Make all changes, or none: False when there is no room."""
        with self._guard:
            new = dict(self._by_path.get(path, {}))
            for (namespace, local), value in updates:
                new.pop((namespace, local), None)
                if value is not None:
                    new[namespace, local] = value
            return self._put(path, new)

    def _put(self, path: str, new: dict[PropertyName, str]) -> bool:
        grown = self._characters + _size(path, new) - _size(path, self._by_path.get(path, {}))
        if grown > self._max_characters:
            return False
        self._characters = grown
        if new:
            self._by_path[path] = new
        else:
            self._by_path.pop(path, None)
        return True

    def copy(self, source: str, target: str) -> bool:
        """Give the target, and what is below it, the properties of the source; False when there is no room for all."""
        with self._guard:
            for path, properties in list(self._by_path.items()):
                is_there = path == source or path.startswith(source.rstrip("/") + "/")
                if is_there and not self._put(target + path[len(source) :], dict(properties)):
                    return False
            return True

    def remove(self, paths: list[str]) -> None:
        """The resources have no properties any more."""
        with self._guard:
            for path in paths:
                self._put(path, {})


class PropertyStore:
    """The properties of one servlet's resources. Any thread.

    Args:
        properties: those of the node.
    """

    def __init__(self, properties: DavProperties | None = None) -> None:
        self._properties = DavProperties() if properties is None else properties

    def of(self, path: str) -> dict[PropertyName, str]:
        """The properties of a resource; a copy."""
        return {(namespace, local): value for namespace, local, value in self._properties.of(path)}

    def update(self, path: str, updates: list[PropertyUpdate]) -> None:
        """Make all changes, or none. Raises StoreFullError."""
        if not self._properties.update(path, [(update.name, update.value) for update in updates]):
            raise StoreFullError(path)

    def copy(self, source: str, target: str) -> None:
        """Give the target, and what is below it, the properties of the source. Raises StoreFullError."""
        if not self._properties.copy(source, target):
            raise StoreFullError(target)

    def forget(self, path: str, remains: Callable[[str], bool] | None = None) -> None:
        """The resource and everything below it have gone, except the paths for which ``remains`` is true: drop their
        properties.
        """
        gone = [each for each in self._properties.paths(path) if remains is None or not remains(each)]
        if gone:
            self._properties.remove(gone)


def _size(path: str, properties: dict[PropertyName, str]) -> int:
    return sum(len(path) + len(name[0]) + len(name[1]) + len(value) for name, value in properties.items())
