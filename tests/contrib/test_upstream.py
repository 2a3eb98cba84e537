"""The frameworks' own suites, unmodified, from their source archives, against our sessions.

Tests that are left out are listed with the reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.frameworks import need_framework_sources, need_frameworks

FRAMEWORKS = need_frameworks()
PROJECT = Path(__file__).resolve().parents[2]

SUITES = PROJECT / "tests" / "contrib" / "suites"

#: Tests that cannot mean ours, with the reason.
DJANGO = {"SessionMiddlewareTests.test_empty_session_saved": "looks into the database's table of sessions at its end"}

NO_KEY = "sessions need no secret key here"
FLASK = {
    "test_basic.py::test_missing_session": NO_KEY,
    "test_basic.py::test_session_secret_key_fallbacks": NO_KEY,
    "test_testing.py::test_session_transactions_no_null_sessions": NO_KEY,
    "test_reqctx.py::test_bad_environ_raises_bad_request": "nothing of sessions; newer Werkzeugs answer 404",
}

VALUES = "reads or writes the values in the cookie, which has an id here"
COOKIE = "calls the method by which Pyramid's session writes its cookie; ours is the container's"
PYRAMID = {
    **{
        f"CatalinaSessionTests.test_{name}": VALUES
        for name in ("ctor_with_cookie_still_valid", "ctor_with_cookie_expired", "ctor_with_bad_cookie_not_tuple",
                     "timeout", "timeout_never", "timeout_str", "reissue_triggered")
    },
    **{
        f"CatalinaSessionTests.test_{name}": COOKIE
        for name in ("_set_cookie_on_exception", "_set_cookie_on_exception_no_request_exception",
                     "_set_cookie_cookieval_too_long", "_set_cookie_real_webob_response", "_set_cookie_options",
                     "no_set_cookie_with_exception")
    },
}  # fmt: skip
STARLETTE: dict[str, str] = {}


def run(*arguments: str, cwd: Path = PROJECT) -> str:
    """A process of its own: a suite changes its framework for good."""
    environment = dict(os.environ, PYTHONPATH=f"{SUITES}:{PROJECT}:{FRAMEWORKS}")
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert done.stdout, done.stderr
    return done.stdout


def script(name: str, file: str, left_out: dict[str, str]) -> int:
    """Run a suite that is a script of ours around a framework's classes; how many tests have run."""
    report = json.loads(run(str(SUITES / file), str(need_framework_sources(name)), *left_out))
    assert report["failed"] == {}
    assert report["skipped"] == []
    assert report["absent"] == []
    return int(report["ran"])


def pytest_suite(name: str, plugin: str, left_out: dict[str, str], report: Path, *files: str) -> tuple[int, list[str]]:
    """Run a suite of pytest's kind; how many tests have run, and what failed."""
    source = need_framework_sources(name)
    deselect = [f"--deselect=tests/{each}" for each in left_out]
    run("-m", "pytest", "-q", "-p", plugin, "-c", "pyproject.toml", "-p", "no:cacheprovider",
        "-o", "addopts=", f"--junitxml={report}", *deselect, *files, cwd=source)  # fmt: skip
    suite = ElementTree.parse(report).getroot()[0]
    failed = [
        f"{case.get('classname')}.{case.get('name')}: {(case[0].text or '')[-1500:]}"
        for case in suite.iter("testcase")
        if len(case) and case[0].tag in ("failure", "error")
    ]
    skipped = int(suite.get("skipped", "0"))
    return int(suite.get("tests", "0")) - skipped, failed


def test_djangos_session_tests() -> None:
    assert script("django", "django_sessions.py", DJANGO) >= 140


def test_pyramids_session_tests() -> None:
    assert script("pyramid", "pyramid_sessions.py", PYRAMID) >= 17


def test_starlettes_session_tests(tmp_path: Path) -> None:
    ran, failed = pytest_suite(
        "starlette", "starlette_plugin", STARLETTE, tmp_path / "report.xml", "tests/middleware/test_session.py"
    )
    assert failed == []
    assert ran >= 10


def test_flasks_tests(tmp_path: Path) -> None:
    ran, failed = pytest_suite("flask", "flask_plugin", FLASK, tmp_path / "report.xml", "tests")
    assert failed == []
    assert ran >= 470


def test_a_session_that_is_broken_fails_the_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALINA_TEST_BREAKS_SESSIONS", "1")
    _, failed = pytest_suite("flask", "flask_plugin", {}, tmp_path / "report.xml", "tests/test_basic.py")
    assert any("test_session_stored_last" in each for each in failed)
