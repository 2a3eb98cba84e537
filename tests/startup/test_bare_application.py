"""A directory with wsgi.py or app.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.lifecycle import LifecycleState
from catalina.startup.bare_application import BareApplication
from tests.core.node import Node

APPLICATION = """
def {name}(environ, start_response):
    start_response("200 OK", [])
    return [(environ["SCRIPT_NAME"] + "|" + environ["PATH_INFO"]).encode()]
"""


@pytest.mark.parametrize(
    ("module", "name"), [("wsgi", "application"), ("wsgi", "app"), ("app", "application"), ("app", "app")]
)
def test_module_and_callable_have_two_names_each(tmp_path: Path, module: str, name: str) -> None:
    node = Node(tmp_path)
    node.add("shop", {f"{module}.py": APPLICATION.format(name=name)})
    with node:
        assert node.ask("/shop/cart/1").body == b"/shop|/cart/1"


def test_its_files_are_never_served(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"wsgi.py": APPLICATION.format(name="application"), "secret.txt": "secret"})
    with node:
        for path in ("/secret.txt", "/wsgi.py", "/"):
            answer = node.ask("/shop" + path)
            assert answer.body == f"/shop|{path}".encode()


@pytest.mark.parametrize("marker", ["distributable = True", "application.distributable = True"])
def test_the_marker_makes_it_distributable(tmp_path: Path, marker: str) -> None:
    node = Node(tmp_path)
    marked = node.add("marked", {"wsgi.py": APPLICATION.format(name="application") + marker})
    plain = node.add("plain", {"wsgi.py": APPLICATION.format(name="application")})
    with node:
        assert (marked.distributable, plain.distributable) == (True, False)


def test_a_directory_with_web_inf_is_a_web_application(tmp_path: Path) -> None:
    (tmp_path / "WEB-INF").mkdir()
    (tmp_path / "wsgi.py").write_text("")
    assert BareApplication.find(tmp_path) is None
    assert BareApplication.find(tmp_path / "WEB-INF") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "expected a WSGI callable named application or app"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("raise AttributeError('own')", "own"),
    ],
)
def test_a_module_without_callable_or_that_fails_says_so(
    tmp_path: Path, text: str, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"wsgi.py": text})
    with node:
        assert context.state is LifecycleState.FAILED
    assert complaint in caplog.text
