"""How numbers are written."""

from __future__ import annotations

from catalina.manager.words import number, size, span


def test_words_for_numbers():
    assert [number(1234), number(1.25), size(0), size(2048), size(3 * 2**20), size(2**40)] == [
        "1,234", "1.2", "0 B", "2.0 KiB", "3.0 MiB", "1024.0 GiB",
    ]  # fmt: skip
    assert [span(5), span(65), span(3700), span(90000), span(-1)] == ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h", "0 s"]
