from __future__ import annotations

import pytest

from catalina.place import Place


@pytest.mark.parametrize(("line", "text"), [(7, "server.xml:7"), (0, "server.xml")])
def test_a_place_reads_as_compilers_write_it(line: int, text: str) -> None:
    assert str(Place("server.xml", line)) == text
