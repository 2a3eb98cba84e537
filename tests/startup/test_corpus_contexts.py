"""Real context.xml and logging.properties files of other people are understood as far as the real Tomcat documents
them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.digester.digester import Digester
from catalina.digester.findings import UnusableConfiguration
from catalina.digester.property_file import read_properties
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager
from catalina.startup.property_sources import substitution_for
from tests.startup.test_corpus import SHARED, is_documented
from tests.support.needs import missing

CONTEXTS = sorted((SHARED / "corpus" / "context-xml").glob("*.xml")) or [SHARED]
LOGGING = sorted((SHARED / "corpus" / "properties").glob("*logging.properties")) or [SHARED]
ILL_FORMED = "010-bflad-chef-jira.xml"

#: Handlers of other products, and values that a template engine would still fill in.
FOREIGN = ("org.apache.plugins.", "${tomcat.")


@pytest.mark.parametrize(
    "path", [path for path in CONTEXTS if path.name != ILL_FORMED], ids=lambda path: path.stem[:24]
)
def test_a_context_file_passes_without_a_warning_about_what_tomcat_documents(path: Path) -> None:
    if not path.is_file():
        missing("shared/corpus is not beside the repository")
    digester = Digester(substitution_for({"catalina.unknown": "warn"}))
    digester.parse_into(path, StandardContext())
    warnings = [finding for finding in digester.findings if finding.level >= logging.WARNING]
    assert [str(finding) for finding in warnings if is_documented(finding)] == []


def test_an_ill_formed_context_file_gives_one_line_with_the_position() -> None:
    path = SHARED / "corpus" / "context-xml" / ILL_FORMED
    if not path.is_file():
        missing("shared/corpus is not beside the repository")
    with pytest.raises(UnusableConfiguration, match=rf"^{ILL_FORMED}:1 <xml>: not well-formed XML: Unescaped '<'"):
        Digester().parse_into(path, StandardContext())


@pytest.mark.parametrize("path", LOGGING, ids=lambda path: path.stem[:24])
def test_a_logging_file_is_understood(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if not path.is_file():
        missing("shared/corpus is not beside the repository")
    manager = ClassLoaderLogManager(read_properties(path), {"catalina.base": str(tmp_path)})
    manager.configure(["corpus_logging_test"])
    manager.close()
    problems = [record.getMessage() for record in caplog.records]
    assert [problem for problem in problems if not any(foreign in problem for foreign in FOREIGN)] == []
