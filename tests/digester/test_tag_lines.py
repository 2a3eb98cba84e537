from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalina.digester.tag_lines import tag_lines


def test_a_tag_stands_where_its_name_begins_and_each_attribute_on_its_own_line() -> None:
    (server,) = tag_lines('<Server\n  port="8005"\n\n  shutdown="A\nB" address="x"/>')
    assert server.line == 1
    assert server.attributes == {"port": 2, "shutdown": 4, "address": 5}


def test_comments_sections_instructions_and_the_doctype_are_no_tags() -> None:
    source = """<?xml version="1.0"?>
<!DOCTYPE a [
  <!ENTITY e "<b/>">
  <!-- ]> <c/> -->
]>
<!-- <d x="1"/> -->
<a><![CDATA[<e/>]]><?pi <f/> ?>
<g/></a>"""
    assert [tag.line for tag in tag_lines(source)] == [7, 8]


def test_a_greater_than_sign_in_a_value_does_not_end_the_tag() -> None:
    first, second = tag_lines('<a x="1 > 0"\n y="2"><b/></a>')
    assert first.attributes == {"x": 1, "y": 2}
    assert second.line == 2


names = st.sampled_from(["Server", "a:b", "Valve", "x-y"])
values = st.text(alphabet="ab >'\n/!-?", max_size=12)


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(names).replace(":", "_")
    attributes = draw(st.dictionaries(st.sampled_from(["p", "q", "r"]), values, max_size=3))
    written = "".join(f'{draw(st.sampled_from([" ", chr(10)]))}{key}="{value}"' for key, value in attributes.items())
    inside = st.one_of(st.sampled_from(["text\n", "<!-- <a/> -->", "<![CDATA[</a>]]>"]), documents(depth=depth - 1))
    content = "".join(draw(st.lists(inside, max_size=3))) if depth else ""
    return f"<{name}{written}>{content}</{name}>"


@given(documents())
def test_every_start_tag_of_a_document_is_found_with_its_attributes(source: str) -> None:
    root = etree.fromstring(source, etree.XMLParser(remove_comments=True))
    found = tag_lines(source)
    assert [set(tag.attributes) for tag in found] == [set(element.attrib) for element in root.iter()]
