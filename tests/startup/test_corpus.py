"""Real server.xml files of other people pass configtest; the ill-formed ones give one clear line.

The files lie beside the repository in ``shared/corpus``; they are not ours to copy.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from catalina.digester.digester import Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.startup.bootstrap import main
from catalina.startup.property_sources import substitution_for
from tests.support.needs import missing

SHARED = Path(__file__).parents[3] / "shared"
CORPUS = SHARED / "corpus" / "server-xml"
FILES = sorted(CORPUS.glob("*.xml")) or [CORPUS]

#: What is wrong with the files that are not well-formed, and where.
ILL_FORMED = {
    "055-arkcase-ark-pentaho-ce.xml": (170, "Opening and ending tag mismatch"),
    "060-bdclark-docker-tomcat.xml": (3, "Start tag expected"),
    "062-bflad-chef-stash.xml": (72, "Unescaped '<' not allowed in attributes values"),
    "095-kitzy-jss-chef.xml": (63, "Unescaped '<' not allowed in attributes values"),
    "103-mattblissett-puppet-tomcat7.xml": (72, "Unescaped '<' not allowed in attributes values"),
}

#: Values that a template engine would still fill in: no server reads them as they are.
PLACEHOLDER = re.compile(r"\$\{|\{\{|@\w+@|\{\w|##\w+##|OOS_TOMCAT_SERVER_PORT")
#: Mistakes of the files' authors; Tomcat ignores them, too, the first without a word.
MISTAKES = ("tcpNoDelay='1' ignored", "maxPostSize='maxPostSize' ignored")
#: What is right on the author's machine and wrong on this one.
ELSEWHERE = re.compile(r"is no address of this machine|cannot be resolved|Name or service not known|No address assoc")
#: Attributes of a Connector are those of its protocol.
CONNECTOR = re.compile(r"Connector|(?:Http11|Ajp)\w*Protocol")


def digest(path: Path) -> list[Finding]:
    if not path.is_file():
        missing("shared/corpus is not beside the repository")
    digester = Digester(substitution_for({"catalina.unknown": "warn"}))
    try:
        digester.parse(path)
    except UnusableConfiguration as error:
        return error.findings
    return digester.findings


@cache
def documented() -> tuple[frozenset[str], dict[str, frozenset[str]], frozenset[str]]:
    """What the real Tomcat documents in any branch: classNames, attribute name -> simple class names, element tags."""
    reference = json.loads((SHARED / "reference" / "components.json").read_text("utf-8"))
    classes = reference["components"] + reference["removedClasses"] + reference["laterClasses"]
    attributes: dict[str, set[str]] = {}
    for known in classes:
        for attribute in known.get("documented", []):
            attributes.setdefault(attribute["name"], set()).add(known["className"].rpartition(".")[2])
    names = frozenset(known["className"] for known in classes)
    tags = frozenset(element["element"] for element in reference["elements"])
    return names, {name: frozenset(owners) for name, owners in attributes.items()}, tags


def is_documented(finding: Finding) -> bool:
    """Whether the warning is about something that the real Tomcat documents, and so should not be one."""
    if "is not installed" in finding.text:  # a driver that this machine lacks
        return False
    classes, attributes, tags = documented()
    if match := re.match(r"no attribute (\S+) on (\w+)", finding.text):
        owners = attributes.get(match[1], frozenset())
        if match[2] == "Connector" and match[1] != "maxHttpHeaderSize":  # in the corpus on AJP, which has none
            return any(CONNECTOR.fullmatch(owner) for owner in owners)
        return match[2] in owners
    if match := re.match(
        r"(?:no class answers to className '([^']*)'|(\S+) is (?:not supported|used instead))", finding.text
    ):
        return (match[1] or match[2]) in classes and "is used instead" not in finding.text
    if match := re.match(r"no element (\w+) in", finding.text):
        return match[1] in tags
    if match := re.match(r"\S+?=(.*) ignored, expected", finding.text):
        return not PLACEHOLDER.search(match[1]) and not finding.text.startswith(MISTAKES)
    return True


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name not in ILL_FORMED], ids=lambda path: path.stem[:24]
)
def test_a_well_formed_file_passes_without_a_warning_about_what_tomcat_documents(path: Path) -> None:
    findings = digest(path)
    assert [str(finding) for finding in findings if finding.level >= logging.ERROR] == []
    warnings = [finding for finding in findings if finding.level == logging.WARNING]
    assert [str(finding) for finding in warnings if is_documented(finding)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:24])
def test_configtest_says_yes_to_the_well_formed_and_no_to_the_others(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not path.is_file():
        missing("shared/corpus is not beside the repository")
    monkeypatch.setattr("catalina.startup.bootstrap.configure_logging", lambda _properties: None)
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tomcat-users.xml").write_text("<tomcat-users/>")
    code = main([f"-Dcatalina.base={tmp_path}", "-Dcatalina.unknown=warn", "-config", str(path), "configtest"])
    printed = capsys.readouterr().out
    errors = [line for line in printed.splitlines() if line.startswith("!! ") and not ELSEWHERE.search(line)]
    assert errors == [] or path.name in ILL_FORMED
    assert code == (1 if "!! " in printed else 0), printed
    if path.name in ILL_FORMED:
        assert printed.count(f"{path.name}:{ILL_FORMED[path.name][0]}") == 1
    else:
        assert printed.startswith("Server StandardServer (")


@pytest.mark.parametrize("name", sorted(ILL_FORMED))
def test_an_ill_formed_file_gives_one_line_with_the_position(name: str) -> None:
    line, reason = ILL_FORMED[name]
    (finding,) = digest(CORPUS / name)
    assert str(finding).startswith(f"{name}:{line} <xml>: not well-formed XML: {reason}")
    assert "\n" not in str(finding)


def test_the_corpus_is_there_where_everything_has_to_run() -> None:
    if os.environ.get("CI", "").lower() == "true":
        assert len(FILES) > 100
