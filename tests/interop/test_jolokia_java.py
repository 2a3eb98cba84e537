"""Our Jolokia beside a real agent, 1.7 of Debian, over beans of the same kind.

The documented changes of 2.x are taken out of the comparison: the marks of errors, the words in front of a message, the
order of names, the answer to a path that leads nowhere, and a bad request, which is HTTP 400 in 2.x.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from catalina.manager.jolokia.commands import Commands
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import BadRequest, Parameters, from_json, from_path
from catalina.mbeans.audit import Caller
from tests.manager.jolokia.shop import shops
from tests.support.needs import need_command, need_file

pytestmark = pytest.mark.interop

JARS = ("jolokia-core.jar", "json-simple.jar")
ONE = "shop:type=Shop,name=one"
HERE = Path(__file__).parent
#: Characters of a path that are sent as they are.
SAFE = "/!:=,*()"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Java agent."""
    need_command("javac", "default-jdk-headless")
    jars = [str(need_file(f"/usr/share/java/{jar}", "libjolokia-core-java")) for jar in JARS]
    classes = tmp_path_factory.mktemp("classes")
    path = ":".join([*jars, str(classes)])
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", classes, HERE / "JolokiaAgent.java"], check=True)
    process = subprocess.Popen(
        ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "JolokiaAgent"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/jolokia"
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def ours() -> Commands:
    return Commands(shops(), Policy())


def compared(answer: dict[str, Any]) -> Any:
    """The parts that both generations have in common."""
    if answer["status"] == 200:
        return 200, _sorted_names(answer["value"])
    if answer["status"] == 400:
        return (400,)
    return answer["status"], answer["error_type"]


def _sorted_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {_canonical(key): _sorted_names(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_canonical, value)) if value and str(value[0]).startswith("shop:") else value
    return value


def _canonical(text: str) -> str:
    domain, colon, properties = text.partition(":")
    return f"{domain}:{','.join(sorted(properties.split(',')))}" if colon and "=" in properties else text


def both(agent: str, ours: Commands, path: str, query: str = "") -> tuple[Any, Any]:
    with urllib.request.urlopen(f"{agent}/{quote(path, safe=SAFE)}{query}", timeout=30) as response:
        java = json.loads(response.read())
    parameters = dict(pair.split("=") for pair in query[1:].split("&")) if query else {}
    try:
        own = ours.answer(from_path(path, Parameters.of(parameters)), Caller("test"))
    except BadRequest:
        own = {"status": 400, "error_type": "java.lang.IllegalArgumentException"}
    return compared(java), compared(own)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"read/{ONE}/Count", ""),
        (f"read/{ONE}/Title", ""),
        (f"read/{ONE}/Open", ""),
        (f"read/{ONE}/Names", ""),
        (f"read/{ONE}/Names/1", ""),
        (f"read/{ONE}/Nothing", ""),
        (f"read/{ONE}/Share", ""),
        (f"read/{ONE}/Big", ""),
        (f"read/{ONE}/Count,Open", ""),
        (f"read/{ONE}/Names", "?maxCollectionSize=2"),
        ("read/shop:*/Count", ""),
        ("read/shop:type=Shop,*/Names/*/*/1", ""),
        ("read/shop:type=Shop,*/Names/*/Names/1", ""),
        ("read/none:a=b/c", ""),
        ("read/none:*/c", ""),
        (f"read/{ONE}/None", ""),
        (f"write/{ONE}/Title/kiosk", ""),
        (f"write/{ONE}/Count/x", ""),
        (f"write/{ONE}/Tags/green/1", ""),
        (f"read/{ONE}/Tags", ""),
        (f"read/{ONE}/Tags/1", ""),
        (f"write/{ONE}/Tags/green/x", ""),
        (f"write/{ONE}/Tags/white,black", ""),
        (f"read/{ONE}/Tags", "?maxDepth=5"),
        (f"write/{ONE}/Title/x/0", ""),
        (f"exec/{ONE}/add/1/2", ""),
        (f"exec/{ONE}/add(int,int)/1/2", ""),
        (f"exec/{ONE}/greet/joe", ""),
        (f"exec/{ONE}/greet/a!/b", ""),
        (f"exec/{ONE}/touch", ""),
        (f"exec/{ONE}/all", ""),
        (f"exec/{ONE}/add/1", ""),
        ("exec/none:a=b/c", ""),
        ("search/shop:*", ""),
        ("search/shop:name=one,*", ""),
        ("search/none:*", ""),
    ],
)
def test_the_same_request_gets_the_same_answer(agent: str, ours: Commands, path: str, query: str) -> None:
    java, own = both(agent, ours, _java_names(path), query), both(agent, ours, _our_names(path), query)
    assert own[1] == java[0] or _lowered(own[1]) == _lowered(java[0])


#: Java's attributes begin with a capital letter, ours as Tomcat's beans.
def _java_names(path: str) -> str:
    return path


def _our_names(path: str) -> str:
    for name in ("Count", "Title", "Tags", "Open", "Names", "Nothing", "Share", "Big"):
        path = path.replace(f"/{name}", f"/{name.lower()}").replace(f",{name}", f",{name.lower()}")
    return path


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lowered(inner) for key, inner in value.items()}
    return tuple(map(_lowered, value)) if isinstance(value, tuple) else value


def test_a_bulk_request_and_the_listing_have_the_same_shape(agent: str, ours: Commands) -> None:
    requests = [
        {"type": "read", "mbean": "none:a=b"},
        {"type": "search", "mbean": "shop:*"},
        {"type": "list", "path": "shop/name=one,type=Shop"},
    ]
    body = json.dumps(requests).encode()
    with urllib.request.urlopen(urllib.request.Request(agent, body), timeout=30) as response:
        java = json.loads(response.read())
    requests[2]["path"] = "shop/type=Shop,name=one"
    own = [ours.answer(from_json(each, Parameters()), Caller("test")) for each in requests]
    assert [each["status"] for each in own] == [each["status"] for each in java] == [404, 200, 200]
    theirs, mine = java[2]["value"], own[2]["value"]
    assert set(theirs) <= set(mine)
    count = mine["attr"]["count"]
    assert theirs["attr"]["Count"]["type"] == count["type"] == "int"
    assert theirs["attr"]["Count"]["rw"] is count["rw"] is True
    add, theirs_add = mine["op"]["add"], theirs["op"]["add"]
    assert add["ret"] == theirs_add["ret"]
    assert [part["type"] for part in add["args"]] == [part["type"] for part in theirs_add["args"]]


def test_the_history_is_the_real_agents(agent: str, ours: Commands) -> None:
    """Debian's agent, 1.7, has the operations at its bean ``jolokia:type=Config``; 2.x has them at ``History``."""
    ours.show_beans()
    store = ours.answer(from_path("search/jolokia:type=History,*", Parameters()), Caller("test"))["value"][0]

    def asked(path: str) -> tuple[Any, Any]:
        """The histories of both answers, without the times."""
        with urllib.request.urlopen(
            f"{agent}/{quote(path.format('jolokia:type=Config'), safe=SAFE)}", timeout=30
        ) as answer:
            java = json.loads(answer.read())
        own = ours.answer(from_path(_our_names(path.format(store)), Parameters()), Caller("test"))
        assert (java["status"], own["status"]) == (200, 200), (java, own)
        return _without_times(java.get("history")), _lowered(_without_times(own.get("history")))

    try:
        for command in (
            f"exec/{{}}/setHistoryLimitForAttribute/{ONE}/Share/[null]/[null]/2/0",
            f"exec/{{}}/setHistoryEntriesForAttribute/{ONE}/Names/1/[null]/3",
            f"exec/{{}}/setHistoryLimitForOperation/{ONE}/greet/[null]/5/100",
            *[f"read/{ONE}/Share"] * 4,
            *[f"read/{ONE}/Share,Open"] * 2,
            *[f"read/{ONE}/Names/1"] * 2,
            f"read/{ONE}/Names",
            *[f"exec/{ONE}/greet/{name}" for name in "abc"],
            *["read/shop:name=one,*/Share"] * 2,
            f"exec/{{}}/setHistoryLimitForOperation/{ONE}/greet/[null]/0/0",
            f"exec/{ONE}/greet/d",
            "exec/{}/resetHistoryEntries",
            f"read/{ONE}/Share",
        ):
            java, own = asked(command)
            assert own == _lowered(java), command
    finally:
        ours.hide_beans()


def _without_times(older: Any) -> Any:
    if isinstance(older, list):
        assert all(set(each) == {"value", "timestamp"} for each in older)
        return [each["value"] for each in older]
    return {_canonical(key): _without_times(inner) for key, inner in older.items()} if older else older
