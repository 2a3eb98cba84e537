from __future__ import annotations

import inspect
import logging
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.loader.webapp_loader import WebappLoader
from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_manager import StandardManager
from catalina.tribes.io.java import EncodedValue, OpaqueValue
from tests.loader.applications import new_loader, running, write_application
from tests.session.support import FakeContext, FakeLoader
from tests.support.frameworks import need_frameworks
from tests.support.narrowing import there


@dataclass
class Item:
    name: str


def manager(own: str = r"tests\..*", **values: str) -> StandardManager:
    found = StandardManager()
    found.context = FakeContext(loader=FakeLoader(own))
    for name, text in values.items():
        assert found.set_attribute(name, text)
    return found


def test_a_value_of_the_applications_own_class_comes_back() -> None:
    found = manager()
    encoded = found.codec.encode("item", Item("apple"))
    assert found.codec.decode(found.create_session(), "item", encoded) == Item("apple")


def test_a_foreign_class_comes_back_opaque() -> None:
    found = manager(own="shop")
    encoded = found.codec.encode("item", Item("apple"))
    assert isinstance(found.codec.decode(found.create_session(), "item", encoded), OpaqueValue)


def test_the_path_of_what_cannot_travel_starts_with_the_attributes_name() -> None:
    with pytest.raises(NotReplicableError, match=r"^cart"):
        manager().codec.encode("cart", [open])


def test_broken_bytes_come_back_opaque_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    found = manager()
    value = found.codec.decode(found.create_session("S"), "item", EncodedValue(b"rubbish", 0))
    assert isinstance(value, OpaqueValue)
    assert "Cannot deserialize session attribute [item] for session [S]" in caplog.text


def test_a_class_inside_a_class_belongs_to_its_module() -> None:
    codec = manager(own=r"shop\.cart").codec
    assert codec.allows_class("shop.cart.Cart.Line")
    assert not codec.allows_class("shop.other.Cart")
    assert not codec.allows_class("os.system")


def test_two_names_are_never_stored() -> None:
    codec = manager().codec
    assert not codec.lets_name_through("javax.security.auth.subject")
    assert not codec.lets_name_through("org.apache.catalina.valves.CrawlerSessionManagerValve")


@pytest.mark.parametrize(("warn", "level"), [("true", logging.WARNING), ("false", logging.DEBUG)])
def test_what_a_filter_holds_back_is_reported_as_configured(
    warn: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    found = manager(
        sessionAttributeNameFilter="user.*",
        sessionAttributeValueClassNameFilter="java.lang.String",
        warnOnSessionAttributeFilterFailure=warn,
    )
    assert found.codec.encode_if_allowed("cart", 1) is None
    assert found.codec.encode_if_allowed("userCount", 1) is None
    assert found.codec.encode_if_allowed("userName", "joe") is not None
    texts = [record.getMessage() for record in caplog.records if record.levelno == level]
    assert texts == [
        "Skipped session attribute named [cart] because it did not match the name filter [user.*]",
        "Skipped session attribute named [userCount] because the value type [java.lang.Integer or builtins.int] did "
        "not match the filter [java.lang.String]",
    ]


def test_a_value_that_another_thread_keeps_changing_is_given_up() -> None:
    class Restless(dict[str, int]):
        pass

    tries = []
    codec = manager().codec

    def encode(name: str, value: object) -> EncodedValue:
        tries.append(name)
        raise RuntimeError("dictionary changed size during iteration")

    codec.encode = encode  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        codec.encode_if_allowed("cart", Restless())
    assert len(tries) == 3


LAZY = "lazy_module_of_attribute_codec"


@pytest.fixture
def lazy_class(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module of the application that is loaded when the test says so."""
    module = types.ModuleType(LAZY)
    exec("class Cart:\n    pass", vars(module))
    monkeypatch.setitem(sys.modules, LAZY, module)
    return module


def unload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, LAZY)


def started(kind: type[StandardManager], context: FakeContext) -> StandardManager:
    """A manager of the kind; one that replicates has a cluster, without which it does not start."""
    manager = kind()
    manager.context = context
    if isinstance(manager, DeltaManager):
        manager.cluster = SimpleTcpCluster()
    manager.start()
    return manager


@pytest.mark.parametrize("kind", [StandardManager, DeltaManager])
def test_a_value_whose_module_is_not_loaded_waits_for_it(
    kind: type[StandardManager], lazy_class: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = started(kind, FakeContext(loader=FakeLoader(LAZY)))
    cart = lazy_class.Cart()
    cart.items = [1]
    encoded = found.codec.encode("cart", {"cart": cart, "count": 1})
    session = found.create_session()
    session.restore_attribute("cart", encoded)
    unload(monkeypatch)
    value = session.get_attribute("cart")
    assert isinstance(value["cart"], OpaqueValue)
    assert "is not loaded" in value["cart"].why
    value["count"] = 2
    assert session.get_attribute("cart") is value
    monkeypatch.setitem(sys.modules, LAZY, lazy_class)
    again = session.get_attribute("cart")
    assert type(again["cart"]) is lazy_class.Cart
    assert (again["cart"].items, again["count"]) == ([1], 2)
    assert session.get_attribute("cart") is again


def test_a_value_that_waits_and_is_set_anew_is_what_was_set(
    lazy_class: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = manager(own=LAZY)
    session = found.create_session()
    session.restore_attribute("cart", found.codec.encode("cart", lazy_class.Cart()))
    unload(monkeypatch)
    assert isinstance(session.get_attribute("cart"), OpaqueValue)
    session.set_attribute("cart", "another")
    monkeypatch.setitem(sys.modules, LAZY, lazy_class)
    assert session.get_attribute("cart") == "another"


def test_a_value_that_waits_is_stored_and_passed_on_as_it_came(
    lazy_class: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = manager(own=LAZY)
    session = found.create_session()
    encoded = found.codec.encode("cart", lazy_class.Cart())
    session.restore_attribute("cart", encoded)
    unload(monkeypatch)
    value = session.get_attribute("cart")
    assert found.codec.encode("cart", value) == encoded


def test_what_the_application_s_own_code_imports_is_loaded_when_the_application_reads_the_value(
    lazy_class: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Loader(FakeLoader):
        def load_imported(self, name: str) -> bool:
            asked.append(name)
            monkeypatch.setitem(sys.modules, LAZY, lazy_class)
            return True

    found = manager()
    found.context = FakeContext(loader=Loader(LAZY))
    session = found.create_session()
    encoded = found.codec.encode("cart", lazy_class.Cart())
    session.restore_attribute("cart", encoded)
    unload(monkeypatch)
    assert isinstance(found.codec.decode(session, "cart", encoded), OpaqueValue), "nobody of the application asks"
    assert asked == []
    assert type(session.get_attribute("cart")) is lazy_class.Cart
    assert asked == [LAZY]


@pytest.mark.parametrize("kind", [StandardManager, DeltaManager])
def test_an_attribute_that_no_node_can_read_is_gone_when_it_is_read(
    kind: type[StandardManager], caplog: pytest.LogCaptureFixture
) -> None:
    found = started(kind, FakeContext())
    session = found.create_session()
    session.restore_attribute("broken", EncodedValue(b"\x73\x72rubbish", 0))
    session.restore_attribute("whole", found.codec.encode("whole", "text"))
    assert session.get_attribute("broken", "nothing") == "nothing"
    assert session.attribute_names() == ["whole"]
    with pytest.raises(KeyError):
        session.facade["broken"]
    assert "Cannot deserialize session attribute [broken]" in caplog.text


@pytest.mark.parametrize("kind", [StandardManager, DeltaManager])
def test_a_value_that_cannot_be_read_for_want_of_stack_is_read_when_there_is_room(kind: type[StandardManager]) -> None:
    found = started(kind, FakeContext())
    value: object = ("x",)
    for _ in range(70):
        value = [value]
    session = found.create_session()
    session.restore_attribute("deep", found.codec.encode("deep", value))

    def deeper(room: int) -> object:
        return session.get_attribute("deep") if room <= 0 else deeper(room - 1)

    frames = len(inspect.stack())
    assert isinstance(deeper(sys.getrecursionlimit() - frames - 150), OpaqueValue)
    assert session.get_attribute("deep") == value


class SelfEncoding:
    """A class that says itself what it is encoded as."""

    def __getstate__(self) -> dict[str, object]:
        raise AssertionError("__getstate__ ran with a foreign state")


def test_a_value_that_was_just_decoded_is_not_asked_for_its_form() -> None:
    found = manager()
    value = object.__new__(SelfEncoding)
    read = EncodedValue(b"as it came", 0)
    assert found.codec.encode_as_read([value], read) is read
    assert found.codec.encode_as_read(["text"], read) == found.codec.encode("list", ["text"])


class Told:
    """A value that asks for events; what stands in an instance under a method's name is only data."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def session_did_activate(self, event: object) -> None:
        self.heard.append("activate")


@dataclass
class Quiet:
    name: str


def test_an_instance_s_own_attribute_is_no_listener() -> None:
    found = manager()
    quiet = Quiet("x")
    vars(quiet)["session_did_activate"] = Item
    told = Told()
    session = found.create_session()
    with pytest.raises(NotReplicableError):
        found.codec.encode("quiet", quiet)
    session._tell_value(quiet, "session_did_activate", "quiet")
    session._tell_value(told, "session_did_activate", "told")
    assert told.heard == ["activate"]


LAZY_APPLICATION = {
    "lazy_store/__init__.py": "",
    "lazy_store/wsgi.py": "def show(session):\n    return session['cart'].total()\n\n"
    "def add(session):\n    from lazy_store.models import Cart, Size\n    session['cart'] = Cart([1, 2], Size.L)\n",
    "lazy_store/models.py": "import enum\nfrom dataclasses import dataclass\n\nclass Size(enum.Enum):\n    L = 'l'\n\n"
    "@dataclass\nclass Cart:\n    prices: list\n    size: Size\n\n"
    "    def total(self):\n        return sum(self.prices)\n",
}


def test_a_cart_comes_back_after_a_restart_before_its_module_was_imported(tmp_path: Path) -> None:
    """The handler that reads the cart does not import its class: only the one that makes it does, when it is called."""
    root = write_application(tmp_path / "shop", LAZY_APPLICATION)

    def start(loader: WebappLoader) -> tuple[PersistentManager, Any]:
        found = PersistentManager()
        found.context = FakeContext(loader=loader, work_dir=tmp_path)
        found.store = FileStore(directory="sessions")
        found.store.manager = found
        return found, loader.load("lazy_store.wsgi")

    with running(new_loader(root)) as (loader,):
        found, application = start(loader)
        session = found.create_session("S1")
        application.add(session.facade)
        there(found.store).save(session)
    assert "lazy_store.models" not in sys.modules
    with running(new_loader(root)) as (loader,):
        found, application = start(loader)
        session = there(there(found.store).load("S1"))
        assert "lazy_store.models" not in sys.modules
        assert application.show(session.facade) == 3


def test_texts_of_template_engines_come_back_as_what_they_were() -> None:
    need_frameworks()
    from django.utils.safestring import SafeString
    from markupsafe import Markup

    codec = manager(own="nothing").codec
    session = codec.manager.create_session()
    for text in (Markup("<b>"), SafeString("<b>"), ("info", Markup("<b>"))):
        back = codec.decode(session, "a", codec.encode("a", text))
        assert (back, type(back)) == (text, type(text))
    codec.check_comes_back("a", Markup("<b>"))


def test_what_no_node_would_build_is_refused_by_name() -> None:
    codec = manager(own="nothing").codec
    with pytest.raises(NotReplicableError, match=r"a: .*: the class tests\.session\.test_attribute_codec"):
        codec.check_comes_back("a", [Item("apple")])
    manager().codec.check_comes_back("a", [Item("apple")])
    let_in = manager(own="nothing", sessionAttributeValueClassNameFilter=r"tests\..*|java\..*|\[B").codec
    let_in.check_comes_back("a", [Item("apple")])
