"""Realistic context.xml and logging.properties files are understood as far as the real Tomcat documents them.

Our own are in ``tests/corpus``; those of other people are tried where they lie beside the repository.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.digester.digester import Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.digester.property_file import read_properties
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager
from catalina.startup.property_sources import PROPERTY_SOURCE, substitution_for, unusable_sources
from catalina.users.users_file import read_users_file
from tests.startup.test_corpus import assert_only_its_own_mistakes, is_documented
from tests.support.corpus import OTHERS, files
from tests.support.needs import other_peoples

CONTEXTS = sorted((OTHERS / "context-xml").glob("*.xml")) or [OTHERS / "context-xml"]
LOGGING = sorted((OTHERS / "properties").glob("*logging.properties")) or [OTHERS / "properties"]
ILL_FORMED = "010-bflad-chef-jira.xml"

#: Handlers of other products, and values that a template engine would still fill in.
FOREIGN = ("org.apache.plugins.", "${tomcat.")


def digest(path: Path, **properties: str) -> list[Finding]:
    digester = Digester(substitution_for(properties))
    try:
        digester.parse_into(path, StandardContext())
    except UnusableConfiguration as error:
        return error.findings
    return digester.findings


@pytest.mark.parametrize("path", files("context"), ids=lambda path: path.stem)
def test_a_context_file_is_understood_but_for_its_own_mistakes(path: Path) -> None:
    assert_only_its_own_mistakes(path, digest(path))


@pytest.mark.parametrize("path", CONTEXTS, ids=lambda path: path.stem[:24])
def test_a_context_file_of_other_people_has_no_warning_about_what_tomcat_documents(path: Path) -> None:
    findings = digest(other_peoples(path), **{"catalina.unknown": "warn"})
    if path.name == ILL_FORMED:
        (finding,) = findings
        assert str(finding).startswith(f"{ILL_FORMED}:1 <xml>: not well-formed XML: Unescaped '<'")
        return
    assert [str(finding) for finding in findings if finding.level >= logging.ERROR] == []
    assert [str(each) for each in findings if each.level == logging.WARNING and is_documented(each)] == []


def log_problems(path: Path, base: Path) -> list[str]:
    manager = ClassLoaderLogManager(read_properties(path), {"catalina.base": str(base)})
    manager.configure(["corpus_logging_test"], report=False)
    manager.close()
    return manager.problems


@pytest.mark.parametrize("path", files("properties", "*logging.properties"), ids=lambda path: path.stem)
def test_a_logging_file_is_understood(path: Path, tmp_path: Path) -> None:
    assert log_problems(path, tmp_path) == []


@pytest.mark.parametrize("path", LOGGING, ids=lambda path: path.stem[:24])
def test_a_logging_file_of_other_people_is_understood(path: Path, tmp_path: Path) -> None:
    problems = log_problems(other_peoples(path), tmp_path)
    assert [problem for problem in problems if not any(foreign in problem for foreign in FOREIGN)] == []


def test_a_properties_file_and_a_users_file_are_read() -> None:
    (path,) = files("properties", "*catalina.properties")
    properties = read_properties(path)
    assert properties["shop.name"] == "Caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    assert PROPERTY_SOURCE in properties
    assert unusable_sources(properties) == []
    (path,) = files("users")
    users = read_users_file(path, properties)
    assert users.roles_of(users.users["ann"]) == ("customer", "manager-gui")
    assert users.users["bob"].password == "hush"
