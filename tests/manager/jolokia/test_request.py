from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.manager.jolokia.request import BadRequest, Parameters, from_json, from_path
from tests.support.narrowing import there

NONE = Parameters()


def test_a_path_is_a_request():
    request = from_path("/read/shop:type=Shop,name=one/count/inner/path", NONE)
    assert (request.type, str(request.name), request.attribute) == ("read", "shop:type=Shop,name=one", "count")
    assert request.path == ("inner", "path")
    assert from_path("", NONE).type == "version"
    assert from_path("/read/a:b=c", NONE).attributes == ()
    assert from_path("/read/a:b=c/x,y", NONE).attributes == ("x", "y")
    assert from_path("/exec/a:b=c/op/1/[null]/%22%22".replace("%22", '"'), NONE).arguments == ("1", None, "")
    assert from_path("/write/a:b=c/x/[null]", NONE).value is None
    assert from_path("/", Parameters.of({"p": "search/a:*"})).type == "search"


def test_json_is_a_request_and_its_config_wins():
    given = {"type": "READ", "mbean": "a:b=c", "attribute": ["x"], "path": "y/z", "config": {"maxDepth": 3}}
    request = from_json(given, Parameters.of({"maxDepth": "1", "ignoreErrors": "true"}))
    assert request.attributes == ("x",)
    assert request.path == ("y", "z")
    assert request.parameters.number("maxDepth") == 3
    assert request.parameters.flag("ignoreErrors")
    assert request.to_json() == {"type": "read", "path": "y/z", "mbean": "a:b=c", "attribute": ["x"]}


@pytest.mark.parametrize("path", ["nope", "read", "write/a:b=c/x", "exec/a:b=c", "read/nonsense/x", "read/a:b=c/x/*"])
def test_what_is_none_is_refused(path):
    with pytest.raises(BadRequest):
        from_path(path, NONE)


@pytest.mark.parametrize(
    "given",
    [
        1, None, [], {}, {"type": "read"}, {"type": "exec", "mbean": "a:b=c"}, {"type": "read", "mbean": 1},
        {"type": "write", "mbean": "a:b=c", "attribute": "x"}, {"type": "read", "mbean": "a:b=c", "attribute": 1},
        {"type": "exec", "mbean": "a:b=c", "operation": "x", "arguments": 1},
        {"type": "read", "mbean": "a:b=c", "config": {"maxDepth": "x"}},
    ],
)  # fmt: skip
def test_json_that_is_none_is_refused(given):
    with pytest.raises(BadRequest):
        from_json(given, NONE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("maxDepth", "x"), ("ignoreErrors", "perhaps"), ("serializeLong", "float"), ("mimeType", "text/html")],
)
def test_wrong_parameters_are_named(name, value):
    with pytest.raises(BadRequest, match=f"Invalid value of {name} parameter"):
        Parameters.of({name: value})


@given(st.text(max_size=40))
def test_any_path_is_a_request_or_refused(path):
    with contextlib.suppress(BadRequest):
        from_path(path, NONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["type", "mbean", "attribute", "value", "operation", "arguments", "path", "config"]), inner
    ),
    max_leaves=8,
)  # fmt: skip


@given(JSON, st.sampled_from(["read", "write", "exec", "list", "search", "version"]))
def test_any_json_is_a_request_or_refused(given, kind):
    for one in (given, {**given, "type": kind} if isinstance(given, dict) else given):
        with contextlib.suppress(BadRequest):
            from_json(one, NONE)


def test_a_notification_has_a_command_of_its_own():
    path = 'notification/add/c1/pull/a:b=c/JMX.mbean,j2ee/{"x":1}/mine'
    given = {"type": "notification", "command": "ADD", "client": "c1", "mode": "pull", "mbean": "a:b=c",
             "filter": ["JMX.mbean", "j2ee"], "config": {"x": 1}, "handback": "mine"}  # fmt: skip
    for request in (from_path(path, Parameters()), from_json(given, Parameters())):
        assert request.to_json() == given | {"command": "add"}
    assert there(from_path("notification/remove/c1/7", Parameters()).notification).handle == "7"
    assert there(from_path("notification/add/c1/pull/a:b=c/ /{}", Parameters()).notification).filter is None
    assert from_path("notification/open/c1/sse", Parameters()).opens_stream
    assert there(from_json(given | {"filter": "one"}, Parameters()).notification).filter == ("one",)


@pytest.mark.parametrize(
    "wrong", [{"client": 1}, {"filter": [1]}, {"filter": 5}, {"config": "[1]"}, {"config": "{"}, {"mbean": "x"}]
)
def test_a_notification_that_is_none_is_refused(wrong):
    with pytest.raises(BadRequest):
        from_json({"type": "notification", "command": "add", "config": {}, **wrong}, Parameters())
