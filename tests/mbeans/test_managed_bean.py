from __future__ import annotations

import re

import pytest

from catalina.attributes import Attribute, Component
from catalina.core.standard_server import StandardServer
from catalina.lifecycle import Lifecycle
from catalina.mbeans.managed_bean import BeanAttributeError, ManagedBean, tomcat_class_name


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
        ("activeSize", "1", r"Cannot find setter method \[activeSize\]"),
        ("nope", "1", r"Cannot find setter method \[nope\]"),
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
