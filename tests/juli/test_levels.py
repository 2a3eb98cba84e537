from __future__ import annotations

import logging

import pytest

from catalina.juli.levels import ALL, FINER, FINEST, OFF, level_name, parse_level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("SEVERE", logging.ERROR),
        ("warning", logging.WARNING),
        (" INFO ", logging.INFO),
        ("FINE", logging.DEBUG),
        ("FINER", FINER),
        ("FINEST", FINEST),
        ("ALL", ALL),
        ("OFF", OFF),
        ("800", logging.INFO),
        ("1200", logging.ERROR),
        ("450", FINER),
        ("0", FINEST),
        ("2147483647", OFF),
        ("LOUD", None),
        ("", None),
    ],
)
def test_a_level_is_a_word_or_a_number_of_java(text: str, level: int | None) -> None:
    assert parse_level(text) == level


@pytest.mark.parametrize("name", ["SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST"])
def test_a_level_is_shown_by_the_word_it_was_read_from(name: str) -> None:
    level = parse_level(name)
    assert level is not None
    assert level_name(level) == name


def test_critical_is_shown_as_severe() -> None:
    assert level_name(logging.CRITICAL) == "SEVERE"
