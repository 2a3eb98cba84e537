"""``catalina new``: every kind of project is built, and its own tests are run against the built wheel's source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalina.deploy.archive import read_archive
from catalina.development.new_command import KINDS, main, write_project
from catalina.errors import ConfigurationError
from tests.cluster.node import PROJECT
from tests.development.running import running
from tests.support.frameworks import need_frameworks

FRAMEWORKS = need_frameworks()


@pytest.mark.cluster
@pytest.mark.parametrize("kind", KINDS)
def test_a_project_builds_a_wheel_that_runs_and_its_own_tests_pass(tmp_path: Path, kind: str) -> None:
    project = write_project(tmp_path, "my-shop", kind)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", "dist", "."]
    subprocess.run(command, check=True, capture_output=True, timeout=180, cwd=project)
    (wheel,) = (project / "dist").glob("*.whl")
    archive = read_archive(str(wheel))
    assert archive.name.name == "/my-shop##0.1.0"
    environment = {"PYTHONPATH": f"{PROJECT}:{FRAMEWORKS}"}
    with running(str(wheel), "--path", "/x", directory=project, environment=environment) as run:
        assert "visit 1" in run.ready().get("/x/")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project, env={**os.environ, **environment}, capture_output=True, text=True, timeout=420,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "2 passed" in tests.stdout


def test_it_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["shop", "--flask"]) == 0
    assert "catalina run . --reload" in capsys.readouterr().out
    assert (tmp_path / "shop" / "shop" / "__init__.py").is_file()
    assert main(["shop"]) == 1
    assert capsys.readouterr().err == f"catalina new: {tmp_path}/shop: File exists\n"


@pytest.mark.parametrize(
    "name", ["Shop", "../x", "1st", "a b", "json", "class", "flask", "", "a-", "\N{LATIN SMALL LETTER E WITH ACUTE}"]
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        write_project(tmp_path, name, "wsgi")
    assert list(tmp_path.iterdir()) == []


def test_every_django_project_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = {(write_project(tmp_path, name, "django") / name / "settings.py").read_text() for name in ("a", "b")}
    assert len({line for text in keys for line in text.splitlines() if "django-insecure-" in line}) == 2
