"""The logger of every message."""

from __future__ import annotations

import re
from pathlib import Path

from catalina.juli.levels import parse_level
from catalina.tribes.logs import FINE, MESSAGES

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "logging.properties"


def test_the_level_that_our_own_file_proposes_shows_the_messages():
    proposed = re.search(rf"^#{re.escape(MESSAGES.name)}\.level = (\w+)$", PROPERTIES.read_text(), re.MULTILINE)
    assert proposed is not None
    level = parse_level(proposed[1])
    assert level is not None
    assert level <= FINE
