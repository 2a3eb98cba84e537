"""Realistic server.xml files start for real: their connectors answer, and nothing is logged as an error.

Our own files, and those of other people where they lie beside the repository.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from tests.startup.boot import answers, booted, make_base
from tests.startup.test_corpus import FILES, ILL_FORMED, THEIRS
from tests.support.corpus import breaks_at
from tests.support.needs import other_peoples

pytestmark = pytest.mark.cluster

#: Errors that the real Tomcat logs for these files as well, when what they refer to is not there.
EXPECTED_ERRORS = re.compile(
    r"Unknown default host \[\S+\] for service"
    r"|FarmWarDeployer can only work as host cluster subelement!"
    r"|The JMX port cannot be opened: Password file not found"
    r"|Failed to open stream: expected KUBERNETES_SERVICE_HOST"
)


OURS = [path for path in FILES if breaks_at(path) is None]


@pytest.mark.parametrize(
    "path", [*OURS, *(path for path in THEIRS if path.name not in ILL_FORMED)], ids=lambda path: path.stem[:24]
)
def test_the_server_of_the_file_starts_and_its_connectors_answer(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path in THEIRS:
        other_peoples(path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    silent: list[str] = []
    with booted(make_base(tmp_path / "base", path)) as server:
        for service in server.services:
            for connector in service.connectors:
                answer = answers(connector)
                expected = b"AB\x00\x01\x09" if connector.is_ajp else b"HTTP/1.1 "
                if not answer.startswith(expected):
                    silent.append(f"{connector.place} {connector}: {answer[:100]!r}")
    assert silent == []
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert [error for error in errors if not EXPECTED_ERRORS.search(error)] == []
