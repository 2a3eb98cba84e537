"""Forward and include."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.node import Node, web_xml

MODULE = """
def front(environ, start_response):
    kind, path = environ["PATH_INFO"].split("/", 2)[1:]
    context = environ["catalina.context"]
    dispatcher = context.named_dispatcher(path[1:]) if path.startswith("@") else context.dispatcher("/" + path)
    if dispatcher is None:
        start_response("404 Not Found", [])
        return [b"no dispatcher"]
    if kind == "forward":
        return dispatcher.forward(environ, start_response)
    start_response("200 OK", [("X-Front", "1")])
    return [b"<", *dispatcher.include(environ), b">"]

def back(environ, start_response):
    start_response("202 Accepted", [("X-Back", "1")])
    names = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "jakarta.servlet.forward.request_uri",
             "jakarta.servlet.include.servlet_path", "seen")
    return ["|".join(str(environ.get(name)) for name in names).encode()]

def seen(application):
    def run(environ, start_response):
        environ["seen"] = environ.get("seen", "") + "f"
        return application(environ, start_response)
    return run
"""
WEB_XML = web_xml(
    "<filter><filter-name>f</filter-name><filter-class>front_back:seen</filter-class></filter>"
    "<filter-mapping><filter-name>f</filter-name><url-pattern>/back/*</url-pattern><dispatcher>FORWARD</dispatcher>"
    "<dispatcher>INCLUDE</dispatcher></filter-mapping>"
    "<servlet><servlet-name>front</servlet-name><servlet-class>front_back:front</servlet-class></servlet>"
    "<servlet><servlet-name>back</servlet-name><servlet-class>front_back:back</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>front</servlet-name><url-pattern>/front/*</url-pattern></servlet-mapping>"
    "<servlet-mapping><servlet-name>back</servlet-name><url-pattern>/back/*</url-pattern></servlet-mapping>"
)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {
        "WEB-INF/web.xml": WEB_XML,
        "WEB-INF/classes/front_back.py": MODULE,
        "a.txt": "static",
        "WEB-INF/inner.txt": "inner",
    }
    node.context = node.add("shop", files)  # type: ignore[attr-defined]  # for the tests
    return node


def test_a_forward_answers_with_the_other_servlets_status_path_and_filters(node: Node) -> None:
    with node:
        answer = node.ask("/shop/front/forward/back/x%20y?q=1")
    assert (answer.status, answer.get("X-Back")) == (202, "1")
    assert answer.body == b"/shop/back|/x y|q=1|/shop/front/forward/back/x%20y|None|f"


def test_an_include_keeps_status_and_path_and_adds_the_body(node: Node) -> None:
    with node:
        answer = node.ask("/shop/front/include/back/x")
    assert (answer.status, answer.get("X-Front"), answer.get("X-Back")) == (200, "1", None)
    assert answer.body == b"</shop/front|/include/back/x||None|/back|f>"


def test_a_servlet_by_name_has_no_path_of_its_own_and_no_path_filters(node: Node) -> None:
    with node:
        assert node.ask("/shop/front/forward/@back").body == b"/shop/front|/forward/@back||None|None|None"
        assert node.ask("/shop/front/forward/@nobody").status == 404


def test_static_files_and_those_below_web_inf_can_be_dispatched_to(node: Node) -> None:
    with node:
        assert node.ask("/shop/front/include/a.txt").body == b"<static>"
        assert node.ask("/shop/front/include/WEB-INF/inner.txt").body == b"<inner>"


KINDS = """
def front(environ, start_response):
    kind, path = environ["PATH_INFO"].split("/", 2)[1:]
    context = environ["catalina.context"]
    dispatcher = context.named_dispatcher("back") if path == "@" else context.dispatcher("/" + path)
    if kind == "forward":
        return dispatcher.forward(environ, start_response)
    start_response("200 OK", [])
    return [*dispatcher.include(environ), b"|", environ["catalina.dispatcher_type"].encode()]

def back(environ, start_response):
    start_response("200 OK", [])
    core = "org.apache.catalina.core."
    names = (core + "DISPATCHER_TYPE", core + "DISPATCHER_REQUEST_PATH", "org.apache.catalina.NAMED")
    return ["|".join([environ["catalina.dispatcher_type"], *(str(environ.get(name)) for name in names)]).encode()]

seen = lambda application: application
"""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/shop/back/x", "REQUEST|REQUEST|/back/x|None"),
        ("/shop/front/forward/back/x", "FORWARD|FORWARD|/back/x|None"),
        ("/shop/front/include/back/x", "INCLUDE|INCLUDE|/back/x|None|REQUEST"),
        ("/shop/front/forward/@", "FORWARD|FORWARD|/front/forward/@|back"),
    ],
)
def test_the_other_resource_knows_the_kind_of_its_dispatch(tmp_path: Path, path: str, said: str) -> None:
    node = Node(tmp_path)
    node.add("shop", {"WEB-INF/web.xml": WEB_XML, "WEB-INF/classes/front_back.py": KINDS})
    with node:
        assert node.ask(path).body.decode() == said


def test_a_path_that_leads_out_has_no_dispatcher(node: Node) -> None:
    with node:
        context = node.context.application_context  # type: ignore[attr-defined]  # set by the fixture
        assert context.dispatcher("/../x") is None
        with pytest.raises(ValueError, match="does not start with a '/'"):
            context.dispatcher("x")


def test_a_query_of_the_dispatchers_path_comes_first(node: Node) -> None:
    with node:
        context = node.context.application_context  # type: ignore[attr-defined]  # set by the fixture
        dispatcher = context.dispatcher("/back/x?own=1")
        (body,) = dispatcher.forward(
            {"QUERY_STRING": "q=2", "REQUEST_URI": "/u", "REQUEST_METHOD": "GET"}, lambda *_: None
        )
    assert b"|own=1&q=2|" in body


@pytest.mark.parametrize(
    ("handling", "found"), [("decode", "/back/a/b"), ("reject", None), ("passthrough", "/back/a%2fb")]
)
def test_an_encoded_slash_is_handled_as_configured(node: Node, handling: str, found: str | None) -> None:
    node.context.encoded_solidus_handling = handling  # type: ignore[attr-defined]  # set by the fixture
    with node:
        dispatcher = node.context.application_context.dispatcher("/back/a%2fb")  # type: ignore[attr-defined]  # set by the fixture
        mapping = None if dispatcher is None else dispatcher.mapping
        assert (mapping.servlet_path + mapping.path_info if mapping else None) == found


def test_paths_may_be_given_decoded(node: Node) -> None:
    node.context.dispatchers_use_encoded_paths = False  # type: ignore[attr-defined]  # set by the fixture
    with node:
        dispatcher = node.context.application_context.dispatcher("/back/a%2fb;p=1")  # type: ignore[attr-defined]  # set by the fixture
        assert dispatcher.mapping.path_info == "/a%2fb"


ADDRESSES = """
def front(environ, start_response):
    kind, target = environ["QUERY_STRING"].split("=", 1)
    dispatcher = environ["catalina.context"].dispatcher(target.partition("&")[0])
    if kind == "forward":
        return dispatcher.forward(environ, start_response)
    body = dispatcher.include(environ)
    start_response("200 OK", [])
    return body

def back(environ, start_response):
    start_response("200 OK", [])
    own = [environ["REQUEST_URI"], environ["SCRIPT_NAME"], environ["PATH_INFO"], environ.get("catalina.mount")]
    names = ("request_uri", "context_path", "servlet_path", "path_info", "query_string")
    found = {kind: [environ.get(f"jakarta.servlet.{kind}.{name}") for name in names] for kind in ("forward", "include")}
    return [repr((own, found["forward"], found["include"])).encode()]
"""


@pytest.fixture
def addresses(tmp_path: Path) -> Node:
    mapped = {
        "front": ("/snoop/*", "/front"), "back": ("/back/*", "/exact"),
    }  # fmt: skip
    servlets = "".join(
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>addresses:{name}</servlet-class></servlet>"
        + "".join(
            f"<servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>{pattern}</url-pattern></servlet-mapping>"
            for pattern in patterns
        )
        for name, patterns in mapped.items()
    )
    node = Node(tmp_path)
    node.add(
        "shop",
        {"WEB-INF/web.xml": web_xml(servlets), "WEB-INF/classes/addresses.py": ADDRESSES, "static.txt": "static"},
    )
    return node


@pytest.mark.parametrize("front", ["/front", "/snoop", "/snoop/a%3Fb"])
def test_a_file_is_forwarded_to_and_included_from_any_mapping(addresses: Node, front: str) -> None:
    with addresses:
        assert addresses.ask(f"/shop{front}?forward=/static.txt").body == b"static"
        assert addresses.ask(f"/shop{front}?include=/static.txt").body == b"static"


@pytest.mark.parametrize(
    ("front", "target", "own", "origin"),
    [
        ("/snoop/a%3Fb", "/back/x%3Fy;p=1", ["/shop/back/x%3Fy;p=1", "/shop/back", "/x?y", "/back"],
         ["/shop/snoop/a%3Fb", "/shop", "/snoop", "/a?b"]),
        ("/front", "/exact", ["/shop/exact", "/shop", "/exact", None], ["/shop/front", "/shop", "/front", None]),
    ],
)  # fmt: skip
def test_a_forward_knows_where_it_is_and_where_it_came_from(
    addresses: Node, front: str, target: str, own: list[str | None], origin: list[str | None]
) -> None:
    query = f"forward={target}"
    with addresses:
        answer = addresses.ask(f"/shop{front}?{query}").body.decode()
    here = [f"{own[0]}?{query}", *own[1:]]
    assert answer == repr((here, [*origin, query], [None] * 5))


def test_an_include_keeps_its_own_address_and_tells_the_others(addresses: Node) -> None:
    with addresses:
        answer = addresses.ask("/shop/snoop/x?include=/back/a%20b").body.decode()
    own = ["/shop/snoop/x?include=/back/a%20b", "/shop/snoop", "/x", "/snoop"]
    assert answer == repr((own, [None] * 5, ["/shop/back/a%20b", "/shop", "/back", "/a b", None]))


def test_what_is_included_and_not_there_is_an_error(addresses: Node) -> None:
    with addresses:
        assert addresses.ask("/shop/front?include=/nope.txt").status == 500
        assert addresses.ask("/shop/front?forward=/nope.txt").status == 404
