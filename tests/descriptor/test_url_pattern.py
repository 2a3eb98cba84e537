"""The forms of url-patterns."""

from __future__ import annotations

import pytest

from catalina.descriptor.url_pattern import decode_pattern, is_valid_pattern


@pytest.mark.parametrize("pattern", ["", "/", "/*", "/x", "/x/", "/x/*", "/x/y.z", "*.x", "*.tar.gz", "/x*"])
def test_patterns_of_the_specification_are_valid(pattern: str) -> None:
    assert is_valid_pattern(pattern)


@pytest.mark.parametrize("pattern", ["x", "*", "*x", "x/*", "*.", "*.x/y", "/x/*.y", "/a\nb", "/a\rb"])
def test_others_are_not(pattern: str) -> None:
    assert not is_valid_pattern(pattern)


def test_patterns_are_percent_encoded() -> None:
    assert decode_pattern("/a%20b") == "/a b"
    assert decode_pattern("/%C3%BC") == "/ü"
    with pytest.raises(UnicodeDecodeError):
        decode_pattern("/%FF")
