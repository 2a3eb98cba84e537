from __future__ import annotations

import logging

import pytest

from catalina.mbeans.audit import Caller, audit

OPS = Caller("jmxproxy", "ops", "10.0.0.7")


def test_a_change_leaves_who_where_what_and_the_values(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit(OPS, "set", "Catalina:type=Valve", name="enabled", old=True, new=False)
    assert (
        "[ops] at [10.0.0.7] over [jmxproxy] set [enabled] of [Catalina:type=Valve] from [True] to [False]"
        in caplog.text
    )


def test_a_secret_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit(OPS, "set", "x", name="keystorePass", old="geheim", new="neu")
    assert "geheim" not in caplog.text
    assert "[neu]" not in caplog.text


def test_a_failure_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    audit(OPS, "invoke", "x", name="start", failed=ValueError("no"))
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].getMessage().endswith("failed: no")


def test_nobody_writes_lines_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit(Caller("jmx", "a\nroot"), "set", "x\r\ny", name="a\x1b", new="z" * 1000)
    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert "a\\nroot" in message
    assert "(1000 characters)" in message
