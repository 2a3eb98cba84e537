"""Maps of rewrite rules."""

from __future__ import annotations

import pytest

from catalina.valves.rewrite.rewrite_map import make_map


class Suffix:
    """A map as an operator may write one."""

    suffix = ""

    def set_parameters(self, *parameters: str) -> None:
        self.suffix = "-".join(parameters)

    def lookup(self, key: str) -> str | None:
        return None if key == "none" else key + self.suffix


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("int:toupper", "aB", "AB"),
        ("int:tolower", "aB", "ab"),
        ("int:escape", "a b%", "a%20b%25"),
        ("int:unescape", "a%20b", "a b"),
    ],
)
def test_internal_maps(kind: str, key: str, value: str) -> None:
    assert make_map(kind, []).lookup(key) == value


def test_a_class_of_the_operators() -> None:
    table = make_map(f"{__name__}.Suffix", ["a", "b"])
    assert (table.lookup("x"), table.lookup("none")) == ("xa-b", None)


@pytest.mark.parametrize(
    ("kind", "parameters", "complaint"),
    [
        ("int:rot13", [], "no internal map 'int:rot13'; there are int:toupper"),
        ("int:toupper", ["x"], "takes no parameters"),
        ("no.such.Map", [], "no class of a map answers to"),
        ("os.PathLike", [], "no class of a map answers to"),
    ],
)
def test_what_is_no_map(kind: str, parameters: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make_map(kind, parameters)
