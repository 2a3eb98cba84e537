"""Realistic server.xml files pass configtest, and what is wrong in one is a line with its place.

Our own files are in ``tests/corpus``. Real files of other people, where they lie beside the repository, are tried as
well; they are not ours to copy.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import pytest

from catalina.digester.digester import Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.startup.bootstrap import main
from catalina.startup.property_sources import substitution_for
from tests.support.corpus import OTHERS, breaks_at, files, warns
from tests.support.needs import other_peoples
from tests.support.tomcat_table import tomcat_classes

FILES = files("server")
THEIRS = sorted((OTHERS / "server-xml").glob("*.xml")) or [OTHERS / "server-xml"]

#: The faults in files of other people that are not well-formed, and where.
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
#: Settings that are right on the author's machine and wrong on this one.
ELSEWHERE = re.compile(r"is no address of this machine|cannot be resolved|Name or service not known|No address assoc")
#: Attributes of a Connector are those of its protocol.
CONNECTOR = re.compile(r"Connector|(?:Http11|Ajp)\w*Protocol")
#: Elements without a class of their own.
PLAIN_TAGS = frozenset({"Alias", "ChannelListener", "MembershipListener", "WatchedResource", "WrapperLifecycle"})


def digest(path: Path, **properties: str) -> list[Finding]:
    digester = Digester(substitution_for({key.replace("_", "."): value for key, value in properties.items()}))
    try:
        digester.parse(path)
    except UnusableConfiguration as error:
        return error.findings
    return digester.findings


def is_about_this_machine(finding: Finding) -> bool:
    """A package that this machine lacks."""
    return "is not installed" in finding.text


def assert_only_its_own_mistakes(path: Path, findings: list[Finding]) -> None:
    """The file's comments say which mistakes it has; nothing else is said about it."""
    line = breaks_at(path)
    if line is not None:
        (finding,) = findings
        assert str(finding).startswith(f"{path.name}:{line} <xml>: not well-formed XML: ")
        return
    wrong = [each for each in findings if each.level >= logging.WARNING and not is_about_this_machine(each)]
    assert sorted(str(finding) for finding in wrong) == warns(path)


def is_documented(finding: Finding) -> bool:
    """True when the warning is about something the real Tomcat documents in any branch, and so should not be one."""
    classes = tomcat_classes()
    if is_about_this_machine(finding):
        return False
    if match := re.match(r"no attribute (\S+) on (\w+)", finding.text):
        owners = {name.rpartition(".")[2] for name, known in classes.items() if match[1] in known.attributes}
        if match[2] == "Connector" and match[1] != "maxHttpHeaderSize":  # on AJP, which has none
            return any(CONNECTOR.fullmatch(owner) for owner in owners)
        return match[2] in owners
    if match := re.match(
        r"(?:no class answers to className '([^']*)'|(\S+) is (?:not supported|used instead))", finding.text
    ):
        return (match[1] or match[2]) in classes and "is used instead" not in finding.text
    if match := re.match(r"no element (\w+) in", finding.text):
        return match[1] in PLAIN_TAGS or any(match[1] in known.elements for known in classes.values())
    if match := re.match(r"\S+?=(.*) ignored, expected", finding.text):
        return not PLACEHOLDER.search(match[1]) and not finding.text.startswith(MISTAKES)
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_understood_but_for_its_own_mistakes(path: Path) -> None:
    assert_only_its_own_mistakes(path, digest(path, catalina_base="/nowhere"))


@pytest.mark.parametrize("path", THEIRS, ids=lambda path: path.stem[:24])
def test_a_file_of_other_people_has_no_warning_about_what_tomcat_documents(path: Path) -> None:
    findings = digest(other_peoples(path), catalina_unknown="warn")
    if path.name in ILL_FORMED:
        line, reason = ILL_FORMED[path.name]
        (finding,) = findings
        assert str(finding).startswith(f"{path.name}:{line} <xml>: not well-formed XML: {reason}")
        assert "\n" not in str(finding)
        return
    assert [str(finding) for finding in findings if finding.level >= logging.ERROR] == []
    warnings = [finding for finding in findings if finding.level == logging.WARNING]
    assert [str(finding) for finding in warnings if is_documented(finding)] == []


@pytest.mark.parametrize("path", [*FILES, *THEIRS], ids=lambda path: path.stem[:24])
def test_configtest_says_yes_to_the_well_formed_and_no_to_the_others(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if path in THEIRS:
        other_peoples(path)
    line = ILL_FORMED[path.name][0] if path.name in ILL_FORMED else None if path in THEIRS else breaks_at(path)
    monkeypatch.setattr("catalina.startup.bootstrap.configure_logging", lambda _properties: None)
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tomcat-users.xml").write_text("<tomcat-users/>")
    code = main([f"-Dcatalina.base={tmp_path}", "-Dcatalina.unknown=warn", "-config", str(path), "configtest"])
    printed = capsys.readouterr().out
    errors = [text for text in printed.splitlines() if text.startswith("!! ") and not ELSEWHERE.search(text)]
    assert code == (1 if "!! " in printed else 0), printed
    if line is not None:
        assert code == 1
        assert printed.count(f"{path.name}:{line}") == 1
    else:
        assert errors == []
        assert printed.startswith("Server StandardServer (")
