"""The page that lists a directory (Tomcat: DefaultServlet.renderHtml, renderXml)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from lxml import etree
from werkzeug.http import http_date

from catalina.util.tomcat_css import STYLE, escape_text

if TYPE_CHECKING:
    from catalina.webresources.resource import Resource

__all__ = ["ListingOrder", "html_listing", "styled_listing"]

DASH = "\N{EN DASH}"
_SAFE = "/!$&'()*+,-.:;=@_~"


def _size(resource: Resource) -> str:
    """``2.9 KiB``; anything but nothing is at least 0.1."""
    tenths = resource.size * 10 // 1024
    if resource.size and not tenths:
        tenths = 1
    return f"{tenths // 10}.{tenths % 10} KiB"


def _href(prefix: str, name: str) -> str:
    return quote(prefix + name, safe=_SAFE)  # nothing in it can end the attribute


_KEYS: dict[str, Callable[[Resource], int]] = {
    "N": lambda _: 0,
    "S": lambda entry: entry.size if entry.is_file else -1,
    "M": lambda entry: entry.mtime_ms,
}


@dataclass(frozen=True, slots=True)
class ListingOrder:
    """The column by which a listing is sorted, in Apache httpd's notation in a query: ``C=S;O=A``.

    ``A`` is the largest first, as in Tomcat; equal ones are sorted by name.
    """

    column: str = "N"
    order: str = "D"

    @classmethod
    def of_query(cls, query: str) -> ListingOrder:
        """From the request's query; what is not an order is the default, by name."""
        parts = dict(part.partition("=")[::2] for part in query.split(";"))
        column, order = parts.get("C", ""), parts.get("O", "")
        return cls(column, "A" if order == "A" else "D") if column in _KEYS else cls()

    def sort(self, entries: list[Resource]) -> None:
        """Sort in place."""
        key = _KEYS[self.column]
        entries.sort(key=lambda entry: (key(entry), entry.name), reverse=self.order == "A")

    def heading(self, column: str, title: str) -> str:
        """A column's title with a link that sorts by it, or reverses the order if it is sorted already."""
        order = "A" if column == self.column and self.order == "D" else "D"
        return f'<a href="?C={column};O={order}">{title}</a>'


def html_listing(
    context_path: str,
    path: str,
    entries: Iterable[Resource],
    readme: str | None,
    server_info: str | None,
    order: ListingOrder | None = None,
) -> str:
    """A page.

    Args:
        path: of the directory in the application, ending with a slash.
        readme: HTML to put below the table.
        server_info: for the last line; None leaves it out.
        order: the entries' order, when the client may choose another one.
    """
    titles = {"N": "Name", "S": "Size", "M": "Last Modified"}
    if order is not None:
        titles = {column: order.heading(column, title) for column, title in titles.items()}
    title = f"Directory Listing For [{escape_text(path)}]"
    up = ""
    if path != "/":
        parent = path.rstrip("/").rpartition("/")[0] + "/"
        name = escape_text(parent.rstrip("/") or "/")
        up = f' {DASH} <a href="{_href(context_path, parent)}"><b>Up To [{name}]</b></a>'
    rows = [_row(number, context_path + path, entry) for number, entry in enumerate(entries)]
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n',
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}{up}</h1>\n",
        '<hr class="line">\n<table width="100%" cellspacing="0" cellpadding="5" align="center">\n<thead>\n<tr>\n',
        '<th align="left"><font size="+1"><strong>' + titles["N"] + "</strong></font></th>\n",
        '<th align="center"><font size="+1"><strong>' + titles["S"] + "</strong></font></th>\n",
        '<th align="right"><font size="+1"><strong>'
        + titles["M"]
        + "</strong></font></th>\n</tr>\n</thead>\n<tbody>\n",
        *rows,
        '</tbody>\n</table>\n<hr class="line">\n',
        f'{readme}<hr class="line">\n' if readme is not None else "",
        f"<h3>{escape(server_info)}</h3>\n" if server_info is not None else "",
        "</body>\n</html>\n",
    ]
    return "".join(parts).replace("\n", "\r\n")


def _row(number: int, prefix: str, entry: Resource) -> str:
    slash = "/" if entry.is_directory else ""
    color = ' bgcolor="#eeeeee"' if number % 2 else ""
    size = "&nbsp;" if entry.is_directory else _size(entry)
    name = f'<a href="{_href(prefix, entry.name + slash)}"><tt>{escape(entry.name)}{slash}</tt></a>'
    return (
        f'<tr{color}>\n<td align="left">&nbsp;&nbsp;\n{name}</td>\n<td align="right"><tt>{size}</tt></td>\n'
        f'<td align="right"><tt>{http_date(entry.mtime_ms / 1000)}</tt></td>\n</tr>\n'
    )


def styled_listing(
    style_sheet: bytes, context_path: str, path: str, entries: Iterable[Resource], readme: str | None
) -> bytes:
    """The listing as XML in Tomcat's form, turned into a page by an operator's XSLT, which may read nothing else.

    Raises:
        etree.XSLTError: the style sheet cannot be used.
    """
    listing = etree.Element("listing", contextPath=context_path, directory=path, hasParent=str(path != "/").lower())
    table = etree.SubElement(listing, "entries")
    for entry in entries:
        slash = "/" if entry.is_directory else ""
        element = etree.SubElement(
            table,
            "entry",
            type="dir" if entry.is_directory else "file",
            urlPath=quote(context_path + path + entry.name + slash, safe=_SAFE),
        )
        if not entry.is_directory:
            element.set("size", _size(entry))
        element.set("date", http_date(entry.mtime_ms / 1000))
        element.text = entry.name + slash
    if readme is not None:
        etree.SubElement(listing, "readme").text = readme
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    transform = etree.XSLT(etree.fromstring(style_sheet, parser), access_control=etree.XSLTAccessControl.DENY_ALL)
    return etree.tostring(transform(listing))
