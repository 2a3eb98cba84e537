"""Context files of other people fill a context; the only remarks are about classes and properties that are theirs."""

from __future__ import annotations

import logging
from pathlib import Path

from catalina.core.standard_context import StandardContext
from catalina.digester.digester import Digester
from catalina.digester.findings import UnusableConfiguration
from catalina.startup.property_sources import substitution_for
from tests.support.needs import missing

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "context-xml"
#: Foreign classes, what stands in for one, placeholders of another tool, and one listener that even Tomcat has lost.
THEIRS = ("is not installed", "no class answers to className '", "is used instead", "='${")


def test_every_well_formed_file_is_understood() -> None:
    if not CORPUS.is_dir():
        missing(f"{CORPUS} is not there")
    remarks, broken = [], []
    for file in sorted(CORPUS.glob("*.xml")):
        digester = Digester(substitution_for({"catalina.unknown": "warn"}))
        try:
            digester.parse_into(file, StandardContext(), file.name)
        except UnusableConfiguration as exc:
            broken.append(str(exc))
            continue
        remarks += [
            str(finding)
            for finding in digester.findings
            if finding.level >= logging.WARNING and not any(text in str(finding) for text in THEIRS)
        ]
    assert remarks == []
    assert len(broken) == 1  # ill-formed, and said so with the line
    assert "010-bflad-chef-jira.xml:1" in broken[0]
