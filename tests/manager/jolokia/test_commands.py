"""The answers of the commands."""

from __future__ import annotations

import logging

import pytest

from catalina.manager.jolokia.commands import Commands
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import BadRequest, Parameters, from_json, from_path
from catalina.mbeans.audit import Caller
from catalina.mbeans.object_name import ObjectName
from tests.manager.jolokia.shop import Broken, shops

CALLER = Caller("jolokia", "ops", "127.0.0.1")
ONE = "shop:type=Shop,name=one"


@pytest.fixture
def commands():
    registry = shops()
    registry.register(ObjectName("shop", {"type": "Broken"}), Broken())
    return Commands(registry, Policy(), "jolokia")


def ask(commands, path, **parameters):
    return commands.answer(from_path(path, Parameters.of(parameters)), CALLER)


def post(commands, **given):
    return commands.answer(from_json(given, Parameters()), CALLER)


def test_an_answer_has_value_status_time_and_request(commands):
    answer = ask(commands, f"read/{ONE}/count")
    assert answer["value"] == 3
    assert answer["status"] == 200
    assert answer["timestamp"] > 1_600_000_000
    assert answer["request"] == {"type": "read", "mbean": ONE, "attribute": "count"}
    assert "request" not in ask(commands, f"read/{ONE}/count", includeRequest="false")


def test_several_and_all_attributes(commands):
    assert ask(commands, f"read/{ONE}/count,open")["value"] == {"count": 3, "open": True}
    every = ask(commands, f"read/{ONE}")["value"]
    assert every["names"] == ["a", "b", "c"]
    assert every["table"] == {"x": 1, "y": 2}
    assert every["password"] == "***"


def test_a_pattern_reads_many_beans(commands):
    value = ask(commands, "read/shop:type=Shop,*/count")["value"]
    assert value == {ONE: {"count": 3}, "shop:type=Shop,name=two": {"count": 3}}
    value = ask(commands, "read/shop:*/count", canonicalNaming="true")["value"]
    assert set(value) == {"shop:name=one,type=Shop", "shop:name=two,type=Shop"}
    assert ask(commands, "read/shop:type=Shop,*/usage/*/*/used")["value"][ONE] == {"usage": 5}


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("read/none:a=b/c", 404, "javax.management.InstanceNotFoundException"),
        ("read/none:*/c", 404, "javax.management.InstanceNotFoundException"),
        (f"read/{ONE}/none", 404, "javax.management.AttributeNotFoundException"),
        ("read/shop:*/none", 404, "javax.management.AttributeNotFoundException"),
        (f"write/{ONE}/none/1", 404, "javax.management.AttributeNotFoundException"),
        (f"write/{ONE}/open/true", 404, "javax.management.AttributeNotFoundException"),
        (f"exec/{ONE}/none", 500, "java.lang.NoSuchMethodException"),
        (f"exec/{ONE}/fail", 500, "java.lang.RuntimeException"),
        ("exec/none:a=b/c", 404, "javax.management.InstanceNotFoundException"),
        ("notification", 500, "java.lang.IllegalArgumentException"),
        ("notification/nonsense", 500, "java.lang.UnsupportedOperationException"),
        ("notification/ping/nobody", 500, "java.lang.IllegalArgumentException"),
        (f"list/shop/{ONE.partition(':')[2]}/nonsense", 500, "java.lang.IllegalArgumentException"),
    ],
)
def test_failures_are_answers(commands, path, status, kind):
    answer = ask(commands, path)
    assert answer[".error"] is True
    assert (answer["status"], answer["error_type"]) == (status, kind)
    assert answer["error"]
    assert "stacktrace" not in answer
    assert "value" not in answer


def test_a_stack_trace_comes_when_it_is_asked_for(commands):
    path = f"exec/{ONE}/fail"
    assert "closed" in ask(commands, path, includeStackTrace="true")["stacktrace"]
    assert "stacktrace" in ask(commands, path, includeStackTrace="runtime")
    assert "stacktrace" not in ask(commands, f"read/{ONE}/none", includeStackTrace="runtime")
    assert ask(commands, path, serializeException="true")["error_value"]["message"].endswith("closed")


def test_an_attribute_that_fails_is_an_error_of_its_own_with_ignore_errors(commands):
    assert ask(commands, "read/shop:type=Broken")["status"] == 500
    value = ask(commands, "read/shop:type=Broken", ignoreErrors="true")["value"]
    assert value["good"] == 1
    assert value["bad"][".error"] is True


def test_a_value_is_written_and_the_old_one_told(commands, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    assert ask(commands, f"write/{ONE}/count/7")["value"] == 3
    assert post(commands, type="write", mbean=ONE, attribute="count", value=8)["value"] == 7
    assert ask(commands, f"read/{ONE}/count")["value"] == 8
    assert f"[ops] at [127.0.0.1] over [jolokia] set [count] of [{ONE}] from [3] to [7]" in caplog.text


def test_a_part_of_a_value_is_written_and_the_old_part_told(commands, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    answer = ask(commands, f"write/{ONE}/tags/green/1")
    assert answer["value"] == "blue"
    assert answer["request"] == {"type": "write", "path": "1", "mbean": ONE, "attribute": "tags", "value": "green"}
    assert post(commands, type="write", mbean=ONE, attribute="tags", value="white", path="0")["value"] == "red"
    assert post(commands, type="write", mbean=ONE, attribute="tags", value="grey", path=["0"])["value"] == "white"
    assert ask(commands, f"read/{ONE}/tags")["value"] == ["grey", "green"]
    assert "set [tags]" in caplog.text
    assert ask(commands, f"write/{ONE}/tags/x/2")["error_type"] == "java.lang.IllegalArgumentException"


@pytest.mark.parametrize("path", [f"write/{ONE}/title/x/0", f"write/{ONE}/tags/x/y", f"write/{ONE}/tags/a,b/0",
                                  f"write/{ONE}/count/7/0"])  # fmt: skip
def test_a_part_that_cannot_be_set_is_a_bad_request(commands, path):
    with pytest.raises(BadRequest):
        ask(commands, path)
    assert ask(commands, f"read/{ONE}/tags")["value"] == ["red", "blue"]


def test_a_text_may_be_none(commands):
    assert ask(commands, f"write/{ONE}/title/[null]")["value"] == "corner"
    assert ask(commands, f"read/{ONE}/title")["value"] is None


@pytest.mark.parametrize("value", ["x", None, {"a": 1}])
def test_what_is_no_value_of_the_type_is_a_bad_request(commands, value):
    with pytest.raises(BadRequest):
        post(commands, type="write", mbean=ONE, attribute="count", value=value)


def test_operations_are_executed(commands):
    assert ask(commands, f"exec/{ONE}/add/1/2")["value"] == 3
    assert ask(commands, f"exec/{ONE}/add(int,int)/1/2")["value"] == 3
    assert post(commands, type="exec", mbean=ONE, operation="greet", arguments=["joe"])["value"] == "hello joe"
    assert ask(commands, f"exec/{ONE}/touch()")["value"] is None
    assert ask(commands, "exec/shop:type=Shop,*/all")["value"] == {
        ONE: ["a", "b", "c"], "shop:type=Shop,name=two": ["a", "b", "c"],
    }  # fmt: skip


@pytest.mark.parametrize("path", [f"exec/{ONE}/add/1", f"exec/{ONE}/add/x/y", f"exec/{ONE}/add(long,int)/1/2"])
def test_arguments_that_do_not_fit_are_a_bad_request(commands, path):
    with pytest.raises(BadRequest):
        ask(commands, path)


def test_beans_are_found(commands):
    assert ask(commands, "search/shop:type=Shop,*")["value"] == [ONE, "shop:type=Shop,name=two"]
    assert ask(commands, "search/none:*")["value"] == []


def test_beans_are_listed(commands):
    bean = ask(commands, "list")["value"]["shop"]["type=Shop,name=one"]
    assert bean["attr"]["count"] == {
        "type": "int", "desc": "How many.", "r": True, "w": True, "rw": True, "is": False,
    }  # fmt: skip
    assert bean["op"]["add"]["args"][0] == {"name": "first", "type": "int", "desc": ""}
    assert bean["op"]["add"]["ret"] == "int"
    assert bean["class"]


@pytest.mark.parametrize(
    ("path", "depth", "value"),
    [
        ("list", 1, {"shop": 1}),
        ("list", 2, {"shop": {"type=Shop,name=one": 1, "type=Shop,name=two": 1, "type=Broken": 1}}),
        ("list/shop", 1, 1),
        ("list/shop", 2, {"type=Shop,name=one": 1, "type=Shop,name=two": 1, "type=Broken": 1}),
        ("list/none", 0, {}),
    ],
)
def test_a_listing_is_cut(commands, path, depth, value):
    assert ask(commands, path, **({"maxDepth": str(depth)} if depth else {}))["value"] == value


def test_a_path_leads_into_a_listing(commands):
    properties = ONE.partition(":")[2]
    assert "count" in ask(commands, f"list/shop/{properties}/attr")["value"]
    assert set(ask(commands, f"list/shop/{properties}")["value"]) >= {"attr", "op", "class", "desc"}
    with pytest.raises(BadRequest, match="only 3 path segments"):
        ask(commands, f"list/shop/{properties}/attr/count")


def test_beans_that_are_alike_share_their_description(commands):
    value = ask(commands, "list", listCache="true")["value"]
    one, two = (value["domains"]["shop"][f"type=Shop,name={name}"] for name in ("one", "two"))
    assert one == two
    assert "count" in value["cache"][one]["attr"]


def test_keys_are_listed_when_asked_for(commands):
    assert ask(commands, f"list/shop/{ONE.partition(':')[2]}/keys", listKeys="true")["value"] == {
        "type": "Shop", "name": "one",
    }  # fmt: skip


def test_a_listing_that_has_not_changed_is_304(commands):
    assert ask(commands, "list", ifModifiedSince="1")["status"] == 200
    assert ask(commands, "list", ifModifiedSince="2000000000")["status"] == 304


def test_the_agent_says_who_it_is(commands):
    value = ask(commands, "version")["value"]
    assert value["protocol"] == "8.2"
    assert value["agent"].startswith("2.")
    assert ask(commands, "config")["value"]["security"] == {"authentication": [{"method": "basic", "realm": "jolokia"}]}


KINDS = ("Config", "Discovery", "History", "NotificationStore")


def test_the_agents_own_beans_are_shown_as_long_as_it_runs(commands):
    assert ask(commands, "search/jolokia:*")["value"] == []
    commands.show_beans()
    names = ask(commands, "search/jolokia:*")["value"]
    agent = ask(commands, "version")["value"]["id"]
    assert names == [f"jolokia:type={kind},agent={agent}" for kind in KINDS]
    commands.hide_beans()
    assert ask(commands, "search/jolokia:*")["value"] == []


def test_answers_are_remembered_while_a_fault_is_looked_for(commands):
    commands.show_beans()
    config = ask(commands, "search/jolokia:type=Config,*")["value"][0]
    assert ask(commands, f"write/{config}/Debug/true")["value"] is False
    ask(commands, f"read/{ONE}/title")
    assert '"corner"' in ask(commands, f"exec/{config}/debugInfo")["value"]


def test_answers_have_a_history_when_it_is_switched_on(commands):
    commands.show_beans()
    history = ask(commands, "search/jolokia:type=History,*")["value"][0]
    limit = ask(commands, f"exec/{history}/setHistoryLimitForAttribute/{ONE}/count/[null]/[null]/5/0")
    assert limit["status"] == 200
    assert ask(commands, f"read/{ONE}/count")["history"] == []
    assert post(commands, type="write", mbean=ONE, attribute="count", value=8)["history"][0]["value"] == 3
    assert [each["value"] for each in ask(commands, f"read/{ONE}/count")["history"]] == [8, 3]
    assert "history" not in ask(commands, f"read/{ONE}/title")
    assert "history" not in ask(commands, "read/none:a=b/c")
    refused = ask(commands, f"exec/{history}/setHistoryLimitForAttribute/{ONE}/count/[null]/[null]/-1/0")
    assert (refused["status"], refused["error_type"]) == (500, "java.lang.IllegalArgumentException")


def test_notifications_are_pulled_by_those_who_listen(commands):
    commands.show_beans()
    client = post(commands, type="notification", command="register")["value"]
    assert set(client["backend"]) == {"pull", "sse"}
    added = post(commands, type="notification", command="add", client=client["id"], mode="pull", mbean=ONE,
                 filter=["jmx.attribute"], handback={"mine": 1})  # fmt: skip
    assert added["value"] == "1"
    assert added["request"] == {"type": "notification", "command": "add", "client": client["id"], "mode": "pull",
                                "mbean": ONE, "filter": ["jmx.attribute"], "handback": {"mine": 1}}  # fmt: skip
    ask(commands, f"write/{ONE}/count/9")
    pull = {"mbean": client["backend"]["pull"]["store"], "operation": "pull", "arguments": [client["id"], "1"]}
    value = post(commands, type="exec", **pull)["value"]
    assert (value["handle"], value["handback"], value["dropped"]) == ("1", {"mine": 1}, 0)
    (one,) = value["notifications"]
    assert (one["attributeName"], one["oldValue"], one["newValue"]) == ("count", 3, 9)
    assert one["source"] == {"objectName": ONE}
    assert post(commands, type="exec", **pull)["value"]["notifications"] == []
    for command in (f"ping/{client['id']}", f"remove/{client['id']}/1", f"unregister/{client['id']}"):
        assert ask(commands, f"notification/{command}")["value"] is None
    assert ask(commands, f"notification/list/{client['id']}")["status"] == 500


def test_an_answer_to_many_requests_holds_no_stream(commands):
    with pytest.raises(BadRequest, match="alone"):
        post(commands, type="notification", command="open", client="x", mode="sse")
