from __future__ import annotations

import re

import pytest

from catalina.attributes import Attribute, Component
from catalina.core.standard_server import StandardServer
from catalina.lifecycle import Lifecycle
from catalina.mbeans.managed_bean import ManagedBean, NoSuchOperation, tomcat_class_name
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.values import BeanAttributeError
from catalina.operations import Impact, Long, operation, readable


class Pool(Component):
    max_size = Attribute(int, 5, unit="connections", doc="A number.")
    url_pattern = Attribute(re.compile, re.compile("a.*"), xml="URLPattern", aliases=("pattern",), doc="An expression.")
    key_pass = Attribute(str, "geheim", doc="A secret.")

    def __init__(self) -> None:
        super().__init__()
        self.created = 3
        self.names = ["a"]
        self._private = 1

    @property
    def active_size(self) -> int:
        return 7

    @property
    def hosts(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def maker(self) -> object:
        raise AssertionError("a property that makes an object is not asked")


def test_declared_attributes_properties_and_simple_values_are_readable() -> None:
    assert dict(ManagedBean(Pool()).items()) == {
        "className": f"{__name__}.Pool",
        "maxSize": 5,
        "URLPattern": "a.*",
        "keyPass": "***",
        "created": 3,
        "activeSize": 7,
        "hosts": ["a", "b"],
    }


def test_a_lifecycle_has_a_state() -> None:
    assert ManagedBean(Lifecycle()).get("stateName") == "NEW"


def test_a_declared_attribute_can_be_set_as_the_xml_would() -> None:
    pool = Pool()
    ManagedBean(pool).set("maxSize", "9")
    assert pool.max_size == 9


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("activeSize", "1", r"Cannot find setter method \[setActiveSize\]"),
        ("nope", "1", r"Cannot find attribute \[nope\] on resource"),
        ("maxSize", "many", "maxSize='many': expected a whole number of connections"),
    ],
)
def test_what_cannot_be_set_says_why(name: str, text: str, message: str) -> None:
    with pytest.raises(BeanAttributeError, match=message):
        ManagedBean(Pool()).set(name, text)


def test_an_attribute_that_is_not_there_says_so() -> None:
    with pytest.raises(BeanAttributeError, match=r"Cannot find attribute \[nope\] on resource"):
        ManagedBean(Pool()).get("nope")


def test_the_class_has_the_name_that_an_operator_writes() -> None:
    assert tomcat_class_name(StandardServer) == "org.apache.catalina.core.StandardServer"
    found = ManagedBean(StandardServer()).get("className")
    assert found == "org.apache.catalina.core.StandardServer"


def test_names_are_sorted() -> None:
    names = ManagedBean(Pool()).names()
    assert names == sorted(names)


class Worker(Component):
    """Works. And more."""

    speed = Attribute(int, 1, unit="rounds", doc="How fast.")

    def __init__(self) -> None:
        super().__init__()
        self.rounds = 0

    @property
    @readable("totalTime", doc="All of it, in ms.")
    def total_ms(self) -> Long:
        return 5

    @property
    def broken(self) -> int:
        raise RuntimeError("out of order")

    @operation(rounds="how many")
    def turn(self, rounds: int) -> int:
        """Turn around. Not more."""
        self.rounds += rounds
        return self.rounds

    @operation(name="turn")
    def turn_once(self) -> None:
        """Turn once."""
        self.rounds += 1

    @operation(impact=Impact.INFO)
    def has_turned(self) -> bool:
        """True when it has turned."""
        return self.rounds > 0


def test_a_bean_says_what_it_has_with_javas_types() -> None:
    info = ManagedBean(Worker(), ObjectName.parse("d:type=Worker")).info()
    assert {one.name: (one.type, one.writable) for one in info.attributes} == {
        "modelerType": ("java.lang.String", False),
        "className": ("java.lang.String", False),
        "speed": ("int", True),
        "rounds": ("int", False),
        "totalTime": ("long", False),
        "broken": ("int", False),
    }
    assert info.class_name == "org.apache.tomcat.util.modeler.BaseModelMBean"
    assert info.description == "Works."
    assert [(one.name, one.returns, one.signature) for one in info.operations] == [
        ("hasTurned", "boolean", ()), ("turn", "void", ()), ("turn", "int", ("int",))
    ]  # fmt: skip
    assert info.operations[2].parameters[0].doc == "how many"


def test_an_attribute_that_fails_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert "totalTime" in dict(ManagedBean(Worker()).items())
    assert "Cannot read attribute [broken] of [" in caplog.text


def test_an_operation_is_chosen_by_its_parameters() -> None:
    worker = Worker()
    bean = ManagedBean(worker)
    assert bean.invoke(bean.operation("turn", 1), ["4"]) == 4
    assert bean.invoke(bean.operation("turn", 0), []) is None
    assert worker.rounds == 5
    with pytest.raises(NoSuchOperation, match=r"\[turn\] with \[2\] arguments"):
        bean.operation("turn", 2)
    with pytest.raises(NoSuchOperation):
        bean.operation("turn", 1, ["long"])


def test_an_argument_that_does_not_convert_calls_nothing() -> None:
    worker = Worker()
    bean = ManagedBean(worker)
    with pytest.raises(BeanAttributeError, match="rounds='many': expected a value of the type int"):
        bean.invoke(bean.operation("turn", 1), ["many"])
    assert worker.rounds == 0


def test_parts_of_a_channel_begin_with_capital_letters() -> None:
    bean = ManagedBean(Worker(), ObjectName.parse("ClusterChannel:type=Channel,component=Membership"))
    assert bean.get("Speed") == 1
    assert "className" not in bean.names()
    assert bean.info().class_name == f"{__name__}.Worker"
