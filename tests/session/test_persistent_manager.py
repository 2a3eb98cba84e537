from __future__ import annotations

from pathlib import Path

from catalina.attributes import Element
from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from tests.session.support import FakeContext
from tests.support.narrowing import of_type


def test_with_a_file_store_the_sessions_of_a_stopped_node_are_found_by_another(tmp_path: Path) -> None:
    managers = []
    for _ in range(2):
        manager = PersistentManager()
        manager.context = FakeContext(work_dir=tmp_path)
        manager.store = FileStore()
        manager.store.manager = manager
        managers.append(manager)
    first, second = managers
    first.start()
    first.create_session("A").set_attribute("cart", ["apple"])
    first.stop()
    second.start()
    back = second.find_session("A")
    assert back is not None
    assert back.get_attribute("cart") == ["apple"]


def test_the_store_is_a_child_element() -> None:
    element = of_type(Element, PersistentManager.child_elements()["Store"])
    manager, store = PersistentManager(), FileStore()
    element.add(manager, store)
    assert manager.store is store
    assert store.manager is manager
