from __future__ import annotations

import logging

import pytest

from catalina.digester.findings import Finding, UnusableConfiguration, nearest
from catalina.place import Place


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("expires", "; did you mean expire?"),
        ("EXPIRE", "; did you mean expire?"),
        ("mxaSize", "; did you mean maxSize?"),
        ("colour", ""),
    ],
)
def test_the_nearest_name_is_offered_only_when_it_is_near(name: str, hint: str) -> None:
    assert nearest(name, ["expire", "maxSize"]) == hint


def test_a_finding_reads_as_place_element_and_remark() -> None:
    finding = Finding(logging.WARNING, Place("server.xml", 41), "Interceptor", "no attribute expires")
    assert str(finding) == "server.xml:41 <Interceptor>: no attribute expires"


def test_an_unusable_configuration_says_its_errors_and_keeps_every_finding() -> None:
    findings = [Finding(level, Place("s", 1), "a", "x") for level in (logging.INFO, logging.ERROR, logging.ERROR)]
    error = UnusableConfiguration(findings)
    assert str(error) == "s:1 <a>: x\ns:1 <a>: x"
    assert error.findings == findings
