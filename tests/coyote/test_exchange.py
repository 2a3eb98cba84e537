from __future__ import annotations

from enum import IntEnum, auto

import pytest

from catalina.coyote.exchange import Event, is_length


class Light(IntEnum):
    RED = auto()
    GREEN = auto()
    OFF = auto()


def test_an_event_leads_from_each_of_its_states_to_the_next():
    turn = Event("a turn", {Light.RED: Light.GREEN, Light.GREEN: Light.RED})
    assert turn[Light.RED] is Light.GREEN
    assert turn[Light.GREEN] is Light.RED


def test_an_event_that_is_not_possible_says_what_it_is_and_where():
    turn = Event("a turn", {Light.RED: Light.GREEN, Light.GREEN: Light.RED})
    with pytest.raises(RuntimeError, match="a turn in state OFF, expected RED or GREEN"):
        turn[Light.OFF]


@pytest.mark.parametrize(
    ("text", "answer"),
    [("0", True), ("12", True), ("9" * 18, True), ("9" * 19, False), ("", False), ("+5", False), ("\u0665", False)],
)
def test_a_length_is_a_decimal_number_of_ascii_digits_that_is_not_absurd(text, answer):
    assert is_length(text) is answer
