"""The questions of Python nodes to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.deploy.farm_offer import FarmHello, FarmOffer, FarmWant, decode_farm_message
from catalina.ha.deploy.farm_state import Removal
from tests.ha.deploy.farm import farm_file


@pytest.mark.parametrize(
    "message",
    [
        FarmHello(),
        FarmOffer((), ()),
        FarmOffer((farm_file(), farm_file("b.whl")), (Removal("/c", 3),)),
        FarmWant(("a",)),
    ],
)
def test_what_is_encoded_is_decoded(message):
    assert decode_farm_message(message.encode()) == message


@given(st.binary(max_size=100).filter(lambda data: not data.startswith(b"catalina-farm/1 ")))
def test_other_messages_are_none(data):
    assert decode_farm_message(data) is None


@given(st.sampled_from([b"offer\n", b"want\n", b"", b"other\n"]), st.binary(max_size=60))
def test_broken_messages_are_the_documented_error(kind, body):
    try:
        decode_farm_message(b"catalina-farm/1 " + kind + body)
    except ProtocolError:
        return


@pytest.mark.parametrize(
    "body",
    [b"offer\n{}", b'want\n["a", 1]', b'offer\n{"files": [["a"]], "removals": []}', b"offer\n" + b"[" * 100_000,
     b'offer\n{"files": [["a", "/a", -1, "00", 1]], "removals": []}', b"want\n[" + b'"a",' * 20_000 + b'"a"]',
     b'want\n["' + b"a" * 2**21 + b'"]', b"sell\n[]"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(ProtocolError):
        decode_farm_message(b"catalina-farm/1 " + body)


@pytest.mark.parametrize(
    "body",
    [
        '{"files": [["../../x.war", "/a", 1, "00", 1]], "removals": []}',
        '{"files": [["a.war", "/..", 1, "00", 1]], "removals": []}',
        '{"files": [], "removals": [["/a/../..", 1]]}',
    ],
)
def test_names_that_would_lead_elsewhere_are_refused(body):
    with pytest.raises(ProtocolError):
        decode_farm_message(b"catalina-farm/1 offer\n" + body.encode())
