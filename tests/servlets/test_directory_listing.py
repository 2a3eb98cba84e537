"""Listings: escaped, sorted, styled."""

from __future__ import annotations

import pytest
from lxml import etree

from catalina.servlets.directory_listing import ListingOrder, html_listing, styled_listing
from catalina.webresources.resource import Resource


def entry(name: str, size: int = 1, mtime: int = 0, directory: bool = False) -> Resource:
    return Resource("/d/" + name, size, mtime, exists=True, is_file=not directory, is_directory=directory)


def test_names_cannot_end_an_attribute_or_begin_an_element() -> None:
    page = html_listing("/app", "/d/", [entry('<b>"&.txt')], None, None)
    assert '<b>"' not in page
    assert "%3Cb%3E%22&.txt" in page
    assert "&lt;b&gt;&quot;&amp;.txt" in page


def test_the_way_up_the_readme_and_the_server_are_said() -> None:
    page = html_listing("/app", "/d/", [], "<i>read me</i>", "Server/1")
    assert '<a href="/app/"><b>Up To [&#47;]</b></a>' in page
    assert "<i>read me</i>" in page
    assert "<h3>Server/1</h3>" in page
    assert "Up To" not in html_listing("", "/", [], None, None)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 KiB"), (1, "0.1 KiB"), (3000, "2.9 KiB"), (1_048_576, "1024.0 KiB")]
)
def test_sizes(size: int, text: str) -> None:
    assert text in html_listing("", "/", [entry("x", size)], None, None)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "c"]),
        ("C=N;O=D", ["a", "b", "c"]),
        ("C=N;O=A", ["c", "b", "a"]),
        ("C=S;O=D", ["c", "b", "a"]),
        ("C=S;O=A", ["a", "b", "c"]),
        ("C=M;O=D", ["b", "a", "c"]),
        ("C=X;O=A", ["a", "b", "c"]),
        ("x=1", ["a", "b", "c"]),
    ],
)
def test_the_order_a_client_asks_for(query: str, names: list[str]) -> None:
    entries = [entry("b", 2, 1), entry("a", 3, 2), entry("c", 9999, 3, directory=True)]
    ListingOrder.of_query(query).sort(entries)
    assert [each.name for each in entries] == names


def test_a_heading_asks_for_the_other_direction() -> None:
    assert 'href="?C=S;O=A"' in ListingOrder("S", "D").heading("S", "Size")
    assert 'href="?C=S;O=D"' in ListingOrder("S", "A").heading("S", "Size")
    assert 'href="?C=N;O=D"' in ListingOrder("S", "A").heading("N", "Name")


STYLE_SHEET = b"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/listing"><p dir="{@directory}"><xsl:for-each select="entries/entry">
<a href="{@urlPath}"><xsl:value-of select="."/></a></xsl:for-each></p></xsl:template></xsl:stylesheet>"""


def test_a_style_sheet_makes_the_page() -> None:
    page = styled_listing(STYLE_SHEET, "/app", "/d/", [entry("a"), entry("sub", directory=True)], None)
    assert b'<p dir="/d/"' in page
    assert b'href="/app/d/sub/">sub/</a>' in page


def test_a_style_sheet_reads_no_other_file() -> None:
    reading = STYLE_SHEET.replace(b'<xsl:value-of select="."/>', b"<xsl:copy-of select=\"document('/etc/passwd')\"/>")
    with pytest.raises(etree.XSLTError):
        styled_listing(reading, "", "/", [entry("a")], None)
