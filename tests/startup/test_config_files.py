from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.digester.substitution import MappingSource, Substitution
from catalina.startup.config_files import check_files

ROOT = Path(__file__).parents[2]


def remarks(base: Path) -> list[str]:
    properties = {"catalina.base": str(base)}
    return [str(finding) for finding in check_files(base, Substitution([MappingSource(properties)]), properties)]


@pytest.mark.parametrize(
    ("name", "text", "remark"),
    [
        (
            "context.xml",
            '<Context relodable="true"/>',
            "context.xml:1 <Context>: no attribute relodable on StandardContext",
        ),
        ("context.xml", "<Context>", "context.xml:1 <xml>: not well-formed XML"),
        ("context.xml", '<Context>\n<Valve className="a.B"/></Context>', "context.xml:2 <Valve>: no class answers to"),
        ("web.xml", "<web-app>\n<servlet></web-app>", "web.xml:2: not well-formed XML"),
        ("logging.properties", ".level = LOUD", "logging.properties: .level = 'LOUD' ignored, expected a level"),
    ],
)
def test_what_is_not_understood_is_a_line_with_its_place(tmp_path: Path, name: str, text: str, remark: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / name).write_text(text)
    (found,) = remarks(tmp_path)
    assert found.startswith(remark)


def test_files_that_are_not_there_have_no_remarks(tmp_path: Path) -> None:
    assert remarks(tmp_path) == []


def test_our_own_files_have_no_remarks_and_checking_changes_nothing() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    assert remarks(ROOT) == []
    assert (root.level, root.handlers) == before
