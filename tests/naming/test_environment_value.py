"""Values of Java types."""

import pytest

from catalina.errors import NamingError
from catalina.naming.environment_value import environment_value


@pytest.mark.parametrize(
    ("java_type", "text", "value"),
    [
        ("java.lang.String", " a ", " a "), ("", "a", "a"), ("java.lang.Boolean", "TRUE", True),
        ("java.lang.Boolean", "x", False), ("java.lang.Integer", "-7", -7), ("java.lang.Long", str(2**40), 2**40),
        ("java.lang.Byte", "127", 127), ("java.lang.Short", "1", 1), ("java.lang.Double", "1.5", 1.5),
        ("java.lang.Float", "2", 2.0), ("java.lang.Character", "x", "x"), ("java.lang.Class", "a.B", "a.B"),
    ],
)  # fmt: skip
def test_the_type_says_what_the_text_becomes(java_type, text, value):
    assert environment_value("n", java_type, text) == value
    assert type(environment_value("n", java_type, text)) is type(value)


@pytest.mark.parametrize(
    ("java_type", "text"),
    [("java.lang.Integer", "x"), ("java.lang.Byte", "128"), ("java.lang.Integer", str(2**31)),
     ("java.lang.Character", "ab"), ("java.lang.Double", "")],
)  # fmt: skip
def test_text_that_is_no_value_is_named(java_type, text):
    with pytest.raises(NamingError, match=r"Environment entry \[n\]"):
        environment_value("n", java_type, text)
