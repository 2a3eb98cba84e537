"""Bodies of WebDAV requests and answers."""

from __future__ import annotations

import pytest

from catalina.servlets.webdav_xml import (
    BadBodyError,
    DavProperties,
    LockInfo,
    PropertyStore,
    PropertyUpdate,
    StoreFullError,
    multistatus,
    parse_lockinfo,
    parse_propertyupdate,
    parse_propfind,
    property_element,
)

COLOR = ("urn:x", "color")


def test_an_empty_propfind_asks_for_everything() -> None:
    assert parse_propfind(b" \n").all
    assert parse_propfind(b'<a:propfind xmlns:a="DAV:"><a:allprop/></a:propfind>').all
    assert parse_propfind(b'<propfind xmlns="DAV:"><!-- x --><propname/></propfind>').names_only


def test_names_are_with_their_namespace() -> None:
    body = b'<propfind xmlns="DAV:"><prop><getetag/><x:own xmlns:x="urn:x"/><bare xmlns=""/></prop></propfind>'
    assert parse_propfind(body).names == (("DAV:", "getetag"), ("urn:x", "own"), ("", "bare"))


@pytest.mark.parametrize("body", [b"x", b"<a/>", b'<propfind xmlns="DAV:"/>', b'<propfind xmlns="other"/>'])
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(BadBodyError):
        parse_propfind(body)


def test_a_document_type_is_refused() -> None:
    body = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><propertyupdate xmlns="DAV:"><set><prop>'
    with pytest.raises(BadBodyError):
        parse_propertyupdate(body + b"<own>&e;</own></prop></set></propertyupdate>")


def test_changes_keep_their_order_and_their_xml() -> None:
    body = (
        b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><own xmlns="urn:x">a &lt; <b/></own></D:prop></D:set>'
        b'<D:remove><D:prop><old xmlns="urn:x"/></D:prop></D:remove></D:propertyupdate>'
    )
    first, second = parse_propertyupdate(body)
    assert first.name == ("urn:x", "own")
    assert first.value is not None
    assert "a &lt; <b/>" in first.value
    assert second == PropertyUpdate(("urn:x", "old"), None)


def test_lockinfo() -> None:
    body = b'<lockinfo xmlns="DAV:"><lockscope><%s/></lockscope><locktype><write/></locktype><owner>a &amp; b</owner>'
    assert parse_lockinfo(body % b"shared" + b"</lockinfo>") == LockInfo(False, "a &amp; b")
    assert parse_lockinfo(body % b"exclusive" + b"</lockinfo>").exclusive
    with pytest.raises(BadBodyError):
        parse_lockinfo(b'<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope></lockinfo>')


def test_elements_are_escaped() -> None:
    assert property_element(("DAV:", "getetag"), "x") == "<D:getetag>x</D:getetag>"
    assert property_element(('a"b', "own")) == '<own xmlns="a&quot;b"/>'
    assert b"<D:href>/a&amp;b</D:href>" in multistatus([("/a&b", {200: ["<D:x/>"]})])


def test_set_change_and_remove() -> None:
    store = PropertyStore()
    store.update("/a", [PropertyUpdate(COLOR, "<red/>"), PropertyUpdate(COLOR, "<blue/>")])
    assert store.of("/a") == {COLOR: "<blue/>"}
    store.update("/a", [PropertyUpdate(COLOR, None), PropertyUpdate(("", "none"), None)])
    assert store.of("/a") == {}


def test_a_copy_has_them_and_what_is_gone_has_not() -> None:
    store = PropertyStore()
    for path in ("/d", "/d/x", "/dx"):
        store.update(path, [PropertyUpdate(COLOR, path)])
    store.copy("/d", "/e")
    assert [store.of(path) for path in ("/e", "/e/x", "/ex")] == [{COLOR: "/d"}, {COLOR: "/d/x"}, {}]
    store.forget("/d")
    assert [bool(store.of(path)) for path in ("/d", "/d/x", "/dx", "/e")] == [False, False, True, True]


def test_a_full_store_keeps_what_it_had_and_has_room_again() -> None:
    store = PropertyStore(DavProperties(max_characters=50))
    store.update("/a", [PropertyUpdate(COLOR, "x" * 20)])
    with pytest.raises(StoreFullError):
        store.update("/b", [PropertyUpdate(COLOR, "x" * 20)])
    assert store.of("/b") == {}
    store.forget("/a")
    store.update("/b", [PropertyUpdate(COLOR, "x" * 20)])
