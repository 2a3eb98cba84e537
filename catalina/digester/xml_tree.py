"""Reads an XML file into a small tree in which each element and attribute knows its line.

The effect of a file is bounded: external entities come from local files only, nothing is fetched, and entities may not
multiply (``billion laughs``). lxml checks that the document is well-formed, and leaves entity references between
elements alone. This module replaces them, because it can count them against a limit and note the file of each element.

lxml knows the line on which a start tag ends, and nothing about its attributes. A ``<Connector>`` of an operator
spreads over ten lines, and a warning has to name the right one. So a scanner (:func:`tag_lines`) finds the line of
every start tag and attribute. It reads only what a well-formed document can contain and is used only on documents that
lxml has accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

from catalina.errors import ConfigurationError
from catalina.place import Place

__all__ = ["TagLines", "XmlAttribute", "XmlElement", "read_xml", "tag_lines"]

#: The limit for a configuration file, which has kilobytes; it keeps a mistaken path (a log, a device) from filling
#: memory.
MAX_FILE_BYTES = 16 * 2**20
#: Entity references that are replaced in one document, on all levels together, and the characters that they may add.
MAX_REFERENCES = 10_000
MAX_EXPANDED_CHARACTERS = 16 * 2**20
#: Entities inside entities.
MAX_DEPTH = 16

_DOCTYPE = re.compile(r"<!DOCTYPE\s+[^\[>]*(?:\[(?P<subset>.*?)\]\s*)?>", re.DOTALL)
_TEXT_DECLARATION = re.compile(r"^\ufeff?<\?xml[^>]*\?>")
_TOKEN = re.compile(
    r"""
      <!--.*?-->
    | <!\[CDATA\[.*?\]\]>
    | <\?.*?\?>
    | <!DOCTYPE\s+[^\[>]*(?:\[(?:"[^"]*"|'[^']*'|<!--.*?-->|[^\]"'])*\]\s*)?>
    | </[^>]*>
    | <(?P<name>[^\s/>!?]+)(?P<attributes>(?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""\s+(?P<name>[^\s=/>]+)\s*=\s*(?:"[^"]*"|'[^']*')""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TagLines:
    """Line of ``<tag`` and of each attribute's name; lines count from 1."""

    line: int
    attributes: dict[str, int]


def tag_lines(source: str) -> list[TagLines]:
    """The start tags of ``source`` in the order of the document."""
    found: list[TagLines] = []
    line, counted_to = 1, 0
    for token in _TOKEN.finditer(source):
        if token["name"] is None:
            continue
        line += source.count("\n", counted_to, token.start())
        counted_to = token.start()
        found.append(TagLines(line, _attribute_lines(source, token, line)))
    return found


def _attribute_lines(source: str, tag: re.Match[str], line: int) -> dict[str, int]:
    start = tag.start("attributes")
    lines: dict[str, int] = {}
    for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
        at = start + attribute.start("name")
        lines[attribute["name"]] = line + source.count("\n", tag.start(), at)
    return lines


@dataclass(slots=True)
class XmlAttribute:
    """A value as it is written (before ``${...}``), and its place."""

    value: str
    place: Place


@dataclass(slots=True)
class XmlElement:
    """An element: local name, attributes in order, child elements, and its text without the children's."""

    tag: str
    place: Place
    attributes: dict[str, XmlAttribute] = field(default_factory=dict)
    children: list[XmlElement] = field(default_factory=list)
    text: str = ""

    def get(self, name: str) -> str | None:
        """The value of an attribute as written, None when it is not there."""
        attribute = self.attributes.get(name)
        return attribute.value if attribute else None

    def walk(self) -> Iterator[XmlElement]:
        """This element and all elements below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_xml(
    path: Path,
    label: str | None = None,
    *,
    missing_entities_are_empty: bool = False,
    block_external: bool = False,
    known: dict[str, bytes] | None = None,
) -> XmlElement:
    """Read a file.

    Args:
        path: the file; external entities are looked up relative to its directory.
        label: the file's name in places; by default its name without directories.
        missing_entities_are_empty: an external entity whose file is missing is an empty text instead of an error.
        block_external: external entities are refused, also those from local files.
        known: bytes of files by their paths, which are not read again; those of files that are read are added.

    Raises:
        ConfigurationError: the file cannot be read, is not well-formed, or its entities are refused.
    """
    return _Reader(path, label or path.name, missing_entities_are_empty, block_external, known).read()


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )


def _read_bytes(path: Path, place: Place) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror} ({path})", place) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{path} is longer than {MAX_FILE_BYTES} bytes", place)
    return data


class _Reader:
    """One document, with the entities that it declares and the part of its limits that is used up."""

    def __init__(
        self,
        path: Path,
        label: str,
        missing_entities_are_empty: bool,
        block_external: bool = False,
        known: dict[str, bytes] | None = None,
    ) -> None:
        self.path = path
        self.known = {} if known is None else known
        self.label = label
        self.missing_entities_are_empty = missing_entities_are_empty
        self.block_external = block_external
        self.internal: dict[str, str] = {}
        self.external: dict[str, str] = {}
        self.subset = ""
        self.references = 0
        self.characters = 0

    def read(self) -> XmlElement:
        data = self._bytes(self.path, Place(self.label, 1))
        root = self._parse(data, self.label)
        info = root.getroottree().docinfo
        source = data.decode(info.encoding or "utf-8", "replace")
        if info.internalDTD is not None:
            self._declare(info.internalDTD, source)
        return self._convert(root, _Lines(self.label, tag_lines(source)), 0)

    def _bytes(self, path: Path, place: Place) -> bytes:
        name = str(path)
        if name not in self.known:
            self.known[name] = _read_bytes(path, place)
        return self.known[name]

    def _declare(self, dtd: etree.DTD, source: str) -> None:
        for entity in dtd.iterentities():
            name = entity.name or ""
            if entity.content is not None:
                self.internal[name] = entity.content
            elif entity.system_url is not None:
                self.external[name] = entity.system_url
        doctype = _DOCTYPE.search(source)
        self.subset = (doctype and doctype["subset"]) or ""

    @staticmethod
    def _parse(data: bytes, label: str) -> etree._Element:
        try:
            return etree.fromstring(data, _parser())
        except etree.XMLSyntaxError as error:
            line, column = error.position
            text = " ".join(re.sub(r", line \d+, column \d+.*$", "", str(error.msg)).split())
            raise ConfigurationError(f"not well-formed XML: {text} (column {column})", Place(label, line)) from None

    def _convert(self, source: etree._Element, lines: _Lines, depth: int) -> XmlElement:
        """Convert an lxml element; ``lines`` is advanced in document order."""
        position = lines.take()
        place = Place(lines.label, position.line)
        element = XmlElement(etree.QName(source).localname, place)
        for name, value in source.attrib.items():
            text_name, text_value = str(name), str(value)
            if not text_name.startswith("{"):
                line = position.attributes.get(text_name, position.line)
                element.attributes[text_name] = XmlAttribute(text_value, Place(lines.label, line))
        self._add_content(element, source, lines, depth)
        return element

    def _add_content(self, element: XmlElement, source: etree._Element, lines: _Lines, depth: int) -> None:
        texts = [source.text or ""]
        for child in source:
            if isinstance(child, etree._Entity):
                reference = Place(lines.label, child.sourceline or element.place.line)
                texts.append(self._replace(element, child.name, reference, depth))
            else:
                element.children.append(self._convert(child, lines, depth))
            texts.append(child.tail or "")
        element.text += "".join(texts)

    def _replace(self, parent: XmlElement, name: str, place: Place, depth: int) -> str:
        """Put the entity's elements into ``parent`` and return its text."""
        self.references += 1
        if depth >= MAX_DEPTH or self.references > MAX_REFERENCES:
            raise ConfigurationError(f"entity &{name}; nests or repeats too often (limit {MAX_REFERENCES})", place)
        if name in self.internal:
            content, label = self.internal[name], None
        elif name in self.external:
            found = self._read_external(name, place)
            if found is None:
                return ""
            content, label = found
        else:
            raise ConfigurationError(f"entity &{name}; is not declared", place)
        self.characters += len(content)
        if self.characters > MAX_EXPANDED_CHARACTERS:
            raise ConfigurationError(f"entities add more than {MAX_EXPANDED_CHARACTERS} characters", place)
        return self._parse_fragment(parent, content, label, place, depth + 1)

    def _read_external(self, name: str, place: Place) -> tuple[str, str] | None:
        if self.block_external:
            raise ConfigurationError(f"entity &{name}; comes from another file, which is not allowed here", place)
        target = self._local_path(name, place)
        if self.missing_entities_are_empty and str(target) not in self.known and not target.exists():
            return None
        data = self._bytes(target, place)
        text = data.decode("utf-8", "replace")
        return _TEXT_DECLARATION.sub("", text), target.name

    def _local_path(self, name: str, place: Place) -> Path:
        url = urlsplit(self.external[name])
        if url.scheme not in ("", "file") or url.netloc not in ("", "localhost"):
            raise ConfigurationError(
                f"entity &{name}; is {self.external[name]!r}, only local files are read; nothing is fetched", place
            )
        return self.path.parent / unquote(url.path)

    def _parse_fragment(self, parent: XmlElement, content: str, label: str | None, place: Place, depth: int) -> str:
        """Parse an entity. Elements of an external entity have its file's lines; those of an internal one have the
        reference's line.
        """
        doctype = f"<!DOCTYPE entity [{self.subset}]>" if self.subset else ""
        # The wrapper must not add lines before the content: entity files report their own line numbers.
        prefix = doctype.replace("\n", " ") + "<entity>"
        root = self._parse((prefix + content + "</entity>").encode(), label or place.file)
        lines = _Lines(label, tag_lines(prefix + content)) if label else _Lines(place.file, (), place.line)
        lines.take()
        before = parent.text
        parent.text = ""
        self._add_content(parent, root, lines, depth)
        added, parent.text = parent.text, before
        return added


class _Lines:
    """Hands out the lines of start tags in document order; without a list every tag stands on ``default``."""

    def __init__(self, label: str, tags: list[TagLines] | tuple[()], default: int = 1) -> None:
        self.label = label
        self.default = default
        self._tags = iter(tags)

    def take(self) -> TagLines:
        return next(self._tags, TagLines(self.default, {}))
