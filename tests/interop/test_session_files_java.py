"""Session files of StandardManager and FileStore, written by one side and read by the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_manager import StandardManager
from tests.interop.java_tomcat import _WEB_XML, JavaTomcat, compile_probe, described
from tests.session.support import FakeContext

pytestmark = pytest.mark.interop

PLAIN = _WEB_XML.replace("<distributable/>", "")


def java_node(tmp_path: Path, manager: str) -> JavaTomcat:
    """A Java node whose application has this Manager element."""
    classes = tmp_path / "classes"
    classes.mkdir()
    compile_probe(classes)
    node = JavaTomcat("java1", tmp_path / "java1", classes, web_xml=PLAIN)
    meta = node.base / "webapps" / "app" / "META-INF"
    meta.mkdir()
    (meta / "context.xml").write_text(f"<Context>{manager}</Context>")
    return node


def ours(manager: Any, tmp_path: Path) -> Any:
    manager.context = FakeContext(work_dir=tmp_path)
    return manager


@pytest.fixture
def standard(tmp_path: Path) -> tuple[JavaTomcat, StandardManager]:
    file = tmp_path / "SESSIONS.ser"
    manager = ours(StandardManager(pathname=str(file)), tmp_path)
    return java_node(
        tmp_path, f'<Manager className="org.apache.catalina.session.StandardManager" pathname="{file}"/>'
    ), manager


def test_we_load_the_sessions_that_java_has_saved_at_its_stop(standard: tuple[JavaTomcat, StandardManager]) -> None:
    java, manager = standard
    try:
        java.start()
        session_id = java.get("/types").session_id
        java.get("/interval?seconds=77", session_id)
        java.stop()
    finally:
        java.close()
    assert manager.file is not None
    assert manager.file.exists()
    manager.start()
    session = manager.find_session(session_id or "")
    assert session is not None
    assert session.max_inactive_interval == 77
    assert session.get_attribute("huge") == -(2**100)
    assert session.get_attribute("dict") == {"a": 1, "b": [1, 2]}
    assert session.get_attribute("set") == {1, 2, 3}


def test_java_loads_the_sessions_that_we_have_saved(standard: tuple[JavaTomcat, StandardManager]) -> None:
    java, manager = standard
    manager.start()
    session = manager.create_session()
    session.set_attribute("text", "Grüße")
    session.set_attribute("dict", {"a": 1, "b": [1, 2]})
    session.set_attribute("tuple", (1, 2))
    manager.stop()
    try:
        java.start()
        values = described(java, session.id).values
    finally:
        java.close()
    assert values["text"] == "String(Grüße)"
    assert values["dict"] == "LinkedHashMap[String(a)=Integer(1), String(b)=ArrayList[Integer(1), Integer(2)]]"
    assert values["tuple"].startswith("byte[")
    assert "Exception" not in java.log


def test_a_directory_of_file_stores_is_shared_by_both(tmp_path: Path) -> None:
    directory = tmp_path / "sessions"
    java = java_node(
        tmp_path,
        '<Manager className="org.apache.catalina.session.PersistentManager">'
        f'<Store className="org.apache.catalina.session.FileStore" directory="{directory}"/></Manager>',
    )
    manager = ours(PersistentManager(), tmp_path)
    store = FileStore(directory=str(directory))
    manager.store = store
    store.manager = manager
    manager.start()
    from_us = manager.create_session()
    from_us.set_attribute("text", "ours")
    assert manager.write_session(from_us)
    try:
        java.start()
        assert described(java, from_us.id).values["text"] == "String(ours)"
        from_java = java.get("/put?text=java").session_id
        java.stop()
    finally:
        java.close()
    session = manager.find_session(from_java or "")
    assert session is not None
    assert session.get_attribute("text") == "java"
