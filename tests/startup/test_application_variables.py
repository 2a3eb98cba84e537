"""Environment variables that files and descriptors give an application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.startup import application_variables as module
from catalina.startup.application_variables import read_variables
from tests.startup.hosts import Base, running
from tests.support.work import assert_linear

#: Answers with the variables that the module has found while it was imported.
SOURCE = """
import os

NAMES = ("SERVERS", "DOTENV", "OPERATORS", "FIXED", "SHARED", "DATABASE_URL")
SEEN = " ".join(f"{name}={os.environ[name]}" for name in NAMES if name in os.environ)

def application(environ, start_response):
    return [SEEN.encode()]
"""


def read(text: str, **known: str) -> dict[str, str | None]:
    found = dict(known)
    result: dict[str, str | None] = {}
    for _, name, value in read_variables(text, found):
        result[name] = value
        found.setdefault(name, value or "")
    return result


def write(base: Base, name: str) -> None:
    """A bare application."""
    (base.webapps / name).mkdir(parents=True)
    (base.webapps / name / "wsgi.py").write_text(SOURCE)


def test_lines_as_dotenv_files_have_them() -> None:
    text = """
# a comment
A=plain # comment
export B = " two\\n\\"lines\\" \\$A ${A}"   # comment
C='as it ${A} \\n stands'
D="over
two lines"
E=${A}/${NOWHERE:-default}/${NOWHERE}
F=
G=a#b
"""
    assert read(text) == {
        "A": "plain", "B": ' two\n"lines" $A plain', "C": "as it ${A} \\n stands", "D": "over\ntwo lines",
        "E": "plain/default/", "F": "", "G": "a#b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fault"),
    [("A B=1", "expected NAME=value"), ("no", "expected NAME=value"), ("A=\0", "has a NUL"),
     ("A=" + "${B}" * 9, "more than 32768 characters"), ("A=1\n" * 1001, "more than 1000 variables")],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_told_apart(text: str, fault: str) -> None:
    assert [True for name, value in read(text, B="b" * 10_000).items() if value is None and fault in name] == [True]


def test_the_fault_has_the_line_behind_values_of_several_lines() -> None:
    assert [line for line, _, value in read_variables('A="1\n2"\n\nwrong\n', {}) if value is None] == [4]


@settings(max_examples=100)
@given(st.text(alphabet="AB=\"'\\${}:-#\n x\0"))
def test_any_text_gives_variables_or_faults(text: str) -> None:
    for line, name, value in read_variables(text, {"A": "a"}):
        assert 1 <= line <= text.count("\n") + 1
        assert value is None or name


def test_the_work_is_linear() -> None:
    def reading(size: int) -> Callable[[], object]:
        text = "A='b\n' # c\n\n# d\n" * size
        return lambda: list(read_variables(text, {}))

    assert_linear(reading, module.MAX_VARIABLES // 4)


def test_the_strongest_wins_before_any_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVERS", "server")
    monkeypatch.setenv("SHARED", "server")
    base = Base(tmp_path)
    own = "SERVERS=dotenv\nDOTENV=dotenv\nOPERATORS=dotenv\nFIXED=dotenv\nSHARED=dotenv\n"
    write(base, "shop")
    (base.webapps / "shop/.env").write_text(own)
    (base.webapps / "shop/WEB-INF").mkdir()
    (base.webapps / "shop/WEB-INF/web.xml").write_text(
        "<web-app><env-entry><env-entry-name>SHARED</env-entry-name><env-entry-type>java.lang.String</env-entry-type>"
        "<env-entry-value>web.xml</env-entry-value></env-entry></web-app>"
    )
    base.descriptors.mkdir(parents=True)
    (base.descriptors / "shop.env").write_text("OPERATORS=operator\nFIXED=operator\n")
    (base.descriptors / "shop.xml").write_text(
        '<Context><Environment name="FIXED" value="fixed" type="java.lang.String" override="false"/>'
        '<Environment name="SHARED" value="context" type="java.lang.String"/>'
        '<Environment name="OPERATORS" value="context" type="java.lang.String"/>'
        '<Environment name="jdbc/x" value="no variable" type="java.lang.String"/></Context>'
    )
    with running(base):
        assert base.ask("/shop") == "SERVERS=server DOTENV=dotenv OPERATORS=operator FIXED=fixed SHARED=web.xml"


def test_two_applications_have_one_each_and_a_changed_file_reloads(tmp_path: Path) -> None:
    base = Base(tmp_path)
    base.descriptors.mkdir(parents=True)
    for name in ("a", "b##2"):
        write(base, name)
    (base.descriptors / "a.env").write_text("DATABASE_URL=postgresql://a\n")
    (base.descriptors / "b.env").write_text("DATABASE_URL=postgresql://b\n")
    with running(base):
        assert [base.ask(name) for name in ("/a", "/b##2")] == [f"DATABASE_URL=postgresql://{name}" for name in "ab"]
        (base.descriptors / "b##2.env").write_text("DATABASE_URL=postgresql://b2\n")
        base.wait_for(lambda: base.ask("/b##2") == "DATABASE_URL=postgresql://b2")


def test_an_operators_file_with_a_mistake_stops_the_application_and_its_own_is_only_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = Base(tmp_path)
    base.descriptors.mkdir(parents=True)
    for name in ("a", "b"):
        write(base, name)
    (base.webapps / "a/.env").write_text("DOTENV=1\nset X=2\n")
    (base.descriptors / "b.env").write_text("set DATABASE_URL=x\n")
    with running(base):
        assert base.ask("/a") == "DOTENV=1"
        failed = base.context("/b")
        assert failed is not None
        assert "b.env], line 1: expected NAME=value" in failed.failure
        assert "set DATABASE_URL" not in caplog.text
    assert "line 2: expected NAME=value; the line is left out" in caplog.text
