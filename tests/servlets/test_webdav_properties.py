"""Properties that clients give."""

from __future__ import annotations

import pytest

from catalina.servlets.webdav_properties import PropertyStore, StoreFullError
from catalina.servlets.webdav_xml import PropertyUpdate

COLOR = ("urn:x", "color")


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
    store = PropertyStore(max_characters=50)
    store.update("/a", [PropertyUpdate(COLOR, "x" * 20)])
    with pytest.raises(StoreFullError):
        store.update("/b", [PropertyUpdate(COLOR, "x" * 20)])
    assert store.of("/b") == {}
    store.forget("/a")
    store.update("/b", [PropertyUpdate(COLOR, "x" * 20)])
