"""What the real Tomcat documents for a class is declared on ours, under the same name."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalina.attributes import Component
from catalina.connector.connector import Connector
from catalina.digester.class_names import JAVA_ONLY, OLD_NAMES, find_class
from catalina.digester.recognised import recognised_class
from tests.support.needs import missing

REFERENCE = Path(__file__).parents[2] / "shared" / "reference" / "components.json"

#: Names that stand for a family (errorCode.404 ...), which the class takes without declaring each.
FAMILIES = {
    "org.apache.catalina.filters.ExpiresFilter": {"ExpiresByType <content-type>"},
    "org.apache.catalina.valves.ErrorReportValve": {"errorCode.nnn", "exceptionType.fullyQualifiedClassName"},
}
#: Declared where Tomcat has them in truth: on the Connector, not on its protocol handler.
ON_THE_CONNECTOR = {"throwOnFailure"}


@cache
def documented() -> dict[str, set[str]]:
    """className -> attributes documented for Tomcat 10.1 or later."""
    if not REFERENCE.is_file():
        return {}
    components = json.loads(REFERENCE.read_text("utf-8"))["components"]
    return {
        component["className"]: {
            attribute["name"]
            for attribute in component.get("documented", [])
            if not attribute.get("until") and attribute["name"] != "className"
        }
        for component in components
    }


def declared(kind: type[Component]) -> set[str]:
    names = set(kind.attributes())
    if issubclass(kind, Connector):
        names |= set(type(kind().protocol_handler).attributes())
    return names


def undeclared(class_name: str, names: set[str], kind: Any) -> list[str]:
    extra = ON_THE_CONNECTOR if class_name.startswith("org.apache.coyote.") else set()
    return sorted(names - declared(kind) - FAMILIES.get(class_name, set()) - extra)


def test_every_documented_attribute_is_declared() -> None:
    if not documented():
        missing("shared/reference is not beside the repository")
    lacking = {
        class_name: found
        for class_name, names in documented().items()
        if (kind := find_class(class_name)) is not None
        and issubclass(kind, Component)
        and (found := undeclared(class_name, names, kind))
    }
    assert lacking == {}


@pytest.mark.parametrize("role", ["Valve", "Realm", "Manager", "Interceptor", "Listener", "Store", "Membership"])
def test_every_documented_class_of_a_role_is_known(role: str) -> None:
    """Implemented, of no meaning in Python, an old name, or recognised with a reason."""
    if not documented():
        missing("shared/reference is not beside the repository")
    components = json.loads(REFERENCE.read_text("utf-8"))["components"]
    names = [c["className"] for c in components if any(element["element"] == role for element in c["elements"])]
    assert names
    unknown = [
        name
        for name in names
        if find_class(name) is None
        and name not in JAVA_ONLY
        and name not in OLD_NAMES
        and recognised_class(name) is None
    ]
    assert unknown == []
