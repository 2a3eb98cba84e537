"""bin/setextras.sh with a Python that only notes what it is asked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bin" / "setextras.sh"

#: Knows what is lacking and whether pip succeeds from files beside it.
PYTHON = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case $2 in
  catalina.extras) cat "$here/lacking" 2>/dev/null && exit 1; exit 0 ;;
  pip)
    cat >>"$here/installed"
    [ -f "$here/fails" ] && { cat "$here/fails" >&2; exit 1; }
    rm -f "$here/lacking"; exit 0 ;;
esac
"""


class Environment:
    """A virtual environment of the server's own."""

    def __init__(self, directory: Path) -> None:
        self.home = directory
        self.venv = directory / ".venv"
        self.bin = self.venv / "bin"
        self.bin.mkdir(parents=True)
        (directory / "pyproject.toml").touch()
        os.utime(directory / "pyproject.toml", (1, 1))
        python = self.bin / "python"
        python.write_text(PYTHON)
        python.chmod(0o755)

    def add(self, extras: str, venv: str | None = None) -> str:
        """Source the script as catalina.sh does; returns what is said."""
        script = f'_say() {{ echo "$*" >&2; }}; . "{SCRIPT}"; echo "goes on"'
        variables = {
            "PATH": os.environ["PATH"],
            "CATALINA_HOME": str(self.home),
            "CATALINA_EXTRAS": extras,
            "_VENV": str(self.venv) if venv is None else venv,
            "_RUNPYTHON": str(self.bin / "python"),
        }
        done = subprocess.run(
            ["sh", "-c", script], env=variables, capture_output=True, text=True, timeout=30, check=True
        )
        assert done.stdout == "goes on\n"
        return done.stderr

    def lacks(self, *requirements: str) -> None:
        (self.bin / "lacking").write_text("".join(f"{one}\n" for one in requirements))

    @property
    def calls(self) -> list[str]:
        path = self.bin / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_without_a_list_nothing_is_done(environment: Environment) -> None:
    assert environment.add("") == ""
    assert environment.calls == []


def test_what_is_lacking_is_installed_once(environment: Environment) -> None:
    environment.lacks("sqlalchemy>=2", "psycopg[binary]>=3.1")
    assert environment.add("sql, crypto") == "Installing the extras sql,crypto\n"
    assert (environment.bin / "installed").read_text().splitlines() == ["sqlalchemy>=2", "psycopg[binary]>=3.1"]
    asked = len(environment.calls)
    assert environment.add("sql,crypto") == ""
    assert len(environment.calls) == asked


def test_a_list_that_has_changed_is_looked_at_again(environment: Environment) -> None:
    environment.add("sql")
    environment.lacks("ldap3>=2.9")
    assert environment.add("sql ldap") == "Installing the extras sql,ldap\n"


def test_what_is_there_already_needs_no_pip(environment: Environment) -> None:
    assert environment.add("sql") == ""
    assert environment.calls == ["-m catalina.extras sql"]


def test_without_network_it_says_so_and_the_server_goes_on(environment: Environment) -> None:
    environment.lacks("sqlalchemy>=2")
    (environment.bin / "fails").write_text("WARNING: Retrying ...: Failed to establish a new connection: [Errno -3]\n")
    said = environment.add("sql")
    assert "could not be installed; the server runs without. There is no way to the package index (network?)" in said
    (environment.bin / "fails").unlink()
    assert environment.add("sql") == "Installing the extras sql\n"


def test_another_failure_shows_pips_own_words(environment: Environment) -> None:
    environment.lacks("sqlalchemy>=2")
    (environment.bin / "fails").write_text("ERROR: No space left on device\n")
    assert "ERROR: No space left on device (see " in environment.add("sql")


def test_somebody_elses_environment_is_left_as_it_is(environment: Environment) -> None:
    environment.lacks("sqlalchemy>=2", "psycopg[binary]>=3.1")
    said = environment.add("sql", venv="")
    assert "is not an environment of the server's own. Install there what it lacks:" in said
    assert "-m pip install 'sqlalchemy>=2' 'psycopg[binary]>=3.1'" in said
    assert not (environment.bin / "installed").exists()
