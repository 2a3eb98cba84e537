"""Members of the configuration."""

from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ConfigurationError
from catalina.place import Place
from catalina.tribes.membership.static_member import StaticMember


def test_a_member_is_made_of_its_attributes():
    static = StaticMember()
    for name, text in {
        "host": "127.0.0.1",
        "port": "4001",
        "securePort": "4101",
        "domain": "shop",
        "uniqueId": "{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,-1}",
    }.items():
        assert static.set_attribute(name, text)
    member = static.to_member()
    assert (member.name, member.secure_port, member.domain) == ("tcp://127.0.0.1:4001", 4101, b"shop")
    assert member.unique_id == bytes([*range(15), 255])


def test_the_host_may_be_bytes_or_a_name():
    assert StaticMember(host="{10,0,0,-56}", port=1).to_member().address == "10.0.0.200"
    assert StaticMember(host="localhost", port=1).to_member().address in ("127.0.0.1", "::1")


@pytest.mark.parametrize("text", ["{1,2}", "0123456789abcdef"])
def test_an_id_must_be_16_bytes(text):
    with pytest.raises(AttributeRefused):
        StaticMember().set_attribute("uniqueId", text)


@pytest.mark.parametrize("settings", [{"port": 1}, {"host": "127.0.0.1"}, {"host": "127.0.0.1", "port": 70_000}])
def test_host_and_port_are_needed(settings):
    static = StaticMember(**settings)
    static.place = Place("server.xml", 41)
    with pytest.raises(ConfigurationError, match=r"server\.xml:41: <Member> needs host and port"):
        static.to_member()


def test_a_name_that_nobody_knows_is_named():
    with pytest.raises(ConfigurationError, match=r"no\.such\.host\.invalid"):
        StaticMember(host="no.such.host.invalid", port=1).to_member()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "{10,0,0,7,1}"}, "expected 4 or 16 bytes"),
        ({"host": "{10,x}"}, "expected bytes as"),
        ({"host": "127.0.0.1", "secure_port": 70_000}, "securePort='70000'"),
        ({"host": "127.0.0.1", "udp_port": -5}, "udpPort='-5'"),
    ],
)
def test_what_no_record_may_carry_is_refused_with_its_place(settings, words):
    static = StaticMember(port=1, **settings)
    static.place = Place("server.xml", 41)
    with pytest.raises(ConfigurationError, match=rf"server\.xml:41: <Member .*{words}"):
        static.to_member()
