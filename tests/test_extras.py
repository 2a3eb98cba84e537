"""A missing package is named with the extra that brings it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from catalina.extras import (
    DISTRIBUTIONS,
    EXTRAS,
    is_installed,
    lacking_requirements,
    main,
    missing_package,
    server_requirements,
)


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    brought = {
        requirement.partition(">")[0].partition("[")[0]: extra
        for extra, requirements in project["optional-dependencies"].items()
        if extra != "test"
        for requirement in requirements
    }
    assert brought == {DISTRIBUTIONS.get(package, package): extra for package, extra in EXTRAS.items()}


IMPORT_ALL = """
import importlib, pkgutil, sys
from importlib.abc import MetaPathFinder
import catalina
from catalina.extras import EXTRAS

class Absent(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(fullname, name=fullname)

sys.meta_path.insert(0, Absent())
for module in pkgutil.walk_packages(catalina.__path__, "catalina."):
    if not module.name.startswith("catalina.contrib.") and not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError:
            print(module.name)
"""


def test_without_extras_only_the_parts_of_http2_are_not_there() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [
        "catalina.connector.http2_connection",
        "catalina.coyote.http2.hpack_decoder",
        "catalina.coyote.http2.http2_upgrade_handler",
    ]


def test_what_is_installed_needs_no_word() -> None:
    assert is_installed("lxml")
    assert missing_package("lxml") == ""


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert missing_package("sqlalchemy") == (
        'the package sqlalchemy is not installed; it comes with the extra sql: start with CATALINA_EXTRAS="sql",'
        " or python -m pip install 'catalina[sql]'"
    )


def test_one_that_no_extra_brings_is_named_as_pip_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "python -m pip install mysqlclient" in missing_package("MySQLdb")
    assert "python -m pip install pymysql" in missing_package("pymysql")


def test_what_is_to_be_installed_is_said_as_the_project_says_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql,crypto"]) == 0
    monkeypatch.setattr("catalina.extras.is_installed", lambda package: package == "sqlalchemy")
    assert main(["sql,crypto"]) == 1
    assert capsys.readouterr().out.splitlines() == ["cryptography>=42", "psycopg[binary]>=3.1"]
    assert lacking_requirements(["ldap"]) == ["ldap3>=2.9"]
    declared = ["opentelemetry-exporter-otlp-proto-http>=1.30; extra == 'otel'"]
    monkeypatch.setattr("catalina.extras.requires", lambda _: declared)
    assert lacking_requirements(["otel"]) == ["opentelemetry-exporter-otlp-proto-http>=1.30"]


def test_an_extra_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql,kerberos"]) == 2
    said = capsys.readouterr().err
    assert "there is no extra kerberos; there are compression, crypto, http2, ldap, locales, otel, sql" in said


def test_the_servers_own_requirements_are_pinned_where_a_package_is_pure_python() -> None:
    wanted = server_requirements()
    names = [re.split(r"[^\w-]", line, maxsplit=1)[0] for line in wanted]
    assert {"lxml", "gunicorn", "gunicorn_h1c", "werkzeug", "watchdog", "packaging", "regex"} <= set(names)
    assert f"gunicorn=={version('gunicorn')}" in wanted
    assert "lxml>=5" in wanted
    assert not {"pytest", "mypy", "catalina"} & set(names), "what only our tests need"
    assert not any(";" in line for line in wanted)


def test_they_are_known_in_a_source_tree_without_metadata_too(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = server_requirements()

    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("catalina.extras.requires", requires)
    assert server_requirements() == expected
