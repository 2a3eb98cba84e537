"""Open types in listings. The shapes are those of the protocol's documentation and of a JVM."""

from __future__ import annotations

import pytest

from catalina.manager.jolokia.commands import Commands
from catalina.manager.jolokia.open_types import open_type_of_java
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import Parameters, from_path
from catalina.mbeans.audit import Caller
from catalina.mbeans.platform.platform_beans import platform_beans
from tests.manager.jolokia.shop import shops

CALLER = Caller("jolokia", "ops", "127.0.0.1")


@pytest.fixture
def listing():
    registry = shops()
    registry.add_source(platform_beans({"catalina.base": "/srv"}))
    commands = Commands(registry, Policy(), "jolokia")

    def ask(path, **parameters):
        return commands.answer(from_path(f"list/{path}", Parameters.of({"openTypes": "true"} | parameters)), CALLER)[
            "value"
        ]

    return ask


def test_simple_types_are_named_by_their_boxes(listing):
    attributes = listing("java.lang/type=Memory/attr")
    assert attributes["ObjectPendingFinalizationCount"]["openType"] == "java.lang.Integer"
    assert attributes["Verbose"]["openType"] == "java.lang.Boolean"
    assert listing("java.lang/type=Memory/op")["gc"]["openRet"] == "java.lang.Void"


def test_a_record_says_its_items(listing):
    kind = listing("java.lang/type=Memory/attr")["HeapMemoryUsage"]["openType"]
    assert kind == {
        "kind": "composite",
        "type": "java.lang.management.MemoryUsage",
        "class": "javax.management.openmbean.CompositeData",
        "desc": "java.lang.management.MemoryUsage",
        "items": dict.fromkeys(("init", "committed", "max", "used"), "java.lang.Long"),
    }


def test_a_table_says_its_index_and_its_rows(listing):
    kind = listing("java.lang/type=Runtime/attr")["SystemProperties"]["openType"]
    assert (kind["kind"], kind["index"], kind["rowType"]["kind"]) == ("tabular", ["key"], "composite")
    assert kind["rowType"]["items"] == {"key": "java.lang.String", "value": "java.lang.String"}


def test_operations_say_what_they_take_and_return(listing):
    operations = listing("java.lang/type=Threading/op")
    deep = operations["dumpAllThreads"][0]
    assert [argument["openType"] for argument in deep["args"]] == ["java.lang.Boolean", "java.lang.Boolean"]
    assert (deep["openRet"]["kind"], deep["openRet"]["type"]) == ("array", "[Ljava.lang.management.ThreadInfo;")
    assert deep["openRet"]["class"] == "[Ljavax.management.openmbean.CompositeData;"
    stack = deep["openRet"]["elemType"]["items"]["stackTrace"]
    assert (stack["kind"], stack["type"]) == ("array", "[Ljava.lang.StackTraceElement;")
    assert operations["getThreadInfo"][0]["openRet"]["kind"] == "composite"


@pytest.mark.parametrize(
    ("java", "primitive", "element", "words"),
    [
        ("[J", True, "java.lang.Long", "1-dimension array of long"),
        ("[Ljava.lang.String;", False, "java.lang.String", "1-dimension array of java.lang.String"),
    ],
)
def test_arrays(java, primitive, element, words):
    assert open_type_of_java(java) == {
        "type": java, "class": java, "desc": words, "kind": "array", "primitive": primitive, "dimension": 1,
        "elemType": element,
    }  # fmt: skip


def test_beans_that_are_no_mxbeans_have_none_and_nobody_gets_them_unasked(listing):
    bean = listing("shop/type=Shop,name=one")
    assert not any("openType" in each for each in bean["attr"].values())
    assert "openType" not in listing("java.lang/type=Memory/attr", openTypes="false")["Verbose"]
