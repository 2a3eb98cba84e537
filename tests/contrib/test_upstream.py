"""The frameworks' own suites, unmodified, from their source archives, against our sessions.

What is left out is listed with its reason: here, and in ``suites/django_sessions.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.contrib.suites.django_sessions import LEFT_OUT
from tests.support.frameworks import need_framework_sources, need_frameworks

FRAMEWORKS = need_frameworks()
PROJECT = Path(__file__).resolve().parents[2]

NO_KEY = "sessions need no secret key here"

#: Flask's tests that cannot mean ours.
FLASK = {
    "test_basic.py::test_missing_session": NO_KEY,
    "test_basic.py::test_session_secret_key_fallbacks": NO_KEY,
    "test_testing.py::test_session_transactions_no_null_sessions": NO_KEY,
    "test_reqctx.py::test_bad_environ_raises_bad_request": "nothing of sessions; newer Werkzeugs answer 404",
}


def run(module: str, *arguments: str, cwd: Path = PROJECT) -> str:
    """A process of its own: a suite changes its framework for good."""
    environment = dict(os.environ, PYTHONPATH=f"{PROJECT}:{FRAMEWORKS}")
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def pytest_suite(name: str, plugin: str, left_out: dict[str, str], report: Path, *files: str) -> tuple[int, list[str]]:
    """Run a suite of pytest's kind; how many tests have run, and what failed."""
    source = need_framework_sources(name)
    deselect = [f"--deselect=tests/{each}" for each in left_out]
    run("pytest", "-q", "-p", f"tests.contrib.suites.{plugin}", "-c", "pyproject.toml", "-p", "no:cacheprovider",
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
    report = json.loads(run("tests.contrib.suites.django_sessions", str(need_framework_sources("django"))))
    assert report["failed"] == {}
    assert report["skipped"] == []
    assert sorted(report["left_out"]) == sorted(LEFT_OUT)
    assert report["ran"] >= 140


def test_flasks_tests(tmp_path: Path) -> None:
    ran, failed = pytest_suite("flask", "flask_plugin", FLASK, tmp_path / "report.xml", "tests")
    assert failed == []
    assert ran >= 470


def test_a_session_that_is_broken_fails_the_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALINA_TEST_BREAKS_SESSIONS", "1")
    _, failed = pytest_suite("flask", "flask_plugin", {}, tmp_path / "report.xml", "tests/test_basic.py")
    assert any("test_session_stored_last" in each for each in failed)
