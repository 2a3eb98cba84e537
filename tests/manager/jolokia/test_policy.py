"""jolokia-access.xml."""

from __future__ import annotations

import pytest

from catalina.errors import ConfigurationError
from catalina.manager.jolokia.policy import Policy, read_policy, same_origin
from catalina.mbeans.object_name import ObjectName

FILE = """<restrict>
  <remote><host>localhost</host><host>10.0.0.0/16</host><host>2001:db8::/48</host></remote>
  <commands><command>read</command><command>search</command></commands>
  <http><method>post</method></http>
  <cors><allow-origin>https://www.example.org</allow-origin><allow-origin>*://*.example.net</allow-origin>
    <strict-checking/></cors>
  <allow><mbean><name>java.lang:type=Memory</name><attribute mode="read">Verbose</attribute>
    <attribute>Heap*</attribute><operation>gc</operation></mbean></allow>
  <deny><mbean><name>Users:*</name><attribute>*</attribute></mbean></deny>
  <filter><mbean>secret:*</mbean></filter>
</restrict>"""
MEMORY, USER = ObjectName("java.lang", {"type": "Memory"}), ObjectName("Users", {"type": "User", "name": "x"})


@pytest.fixture
def policy(tmp_path):
    (tmp_path / "jolokia-access.xml").write_text(FILE)
    return read_policy(tmp_path / "jolokia-access.xml")


def test_addresses(policy):
    assert policy.allows_address("127.0.0.1")
    assert policy.allows_address("::ffff:10.0.3.4")
    assert policy.allows_address("2001:db8::1")
    assert not policy.allows_address("10.1.0.1")
    assert not policy.allows_address("nonsense")
    assert Policy().allows_address("192.0.2.1")
    assert not Policy(remote=()).allows_address("127.0.0.1")


def test_commands_and_methods(policy):
    assert policy.allows_command("read")
    assert not policy.allows_command("exec")
    assert policy.allows_method("POST")
    assert not policy.allows_method("GET")


def test_what_is_forbidden_in_general_is_allowed_for_single_beans(policy):
    assert policy.allows("exec", MEMORY, "gc")
    assert not policy.allows("exec", MEMORY, "other")
    assert policy.allows("write", MEMORY, "HeapMemoryUsage")
    assert not policy.allows("write", MEMORY, "Verbose")


def test_what_is_allowed_in_general_is_denied_for_single_beans(policy):
    assert policy.allows("read", MEMORY, "Verbose")
    assert not policy.allows("read", USER, "username")
    assert policy.hides(ObjectName("secret", {"a": "b"}))


def test_origins(policy):
    assert policy.allows_origin("https://www.example.org")
    assert policy.allows_origin("http://a.b.example.net")
    assert not policy.allows_origin("https://www.example.org.evil.com")
    assert not Policy().allows_origin("https://www.example.org")
    assert policy.strict


@pytest.mark.parametrize(
    "text",
    [
        "<restrict", "<other/>", "<restrict><unknown/></restrict>",
        "<restrict><remote><host>nonsense!</host></remote></restrict>",
        "<restrict><deny><mbean><attribute>x</attribute></mbean></deny></restrict>",
        "<restrict><deny><mbean><name>nonsense</name></mbean></deny></restrict>",
        "<restrict><commands><method>read</method></commands></restrict>",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_an_error(tmp_path, text):
    (tmp_path / "p.xml").write_text(text)
    with pytest.raises(ConfigurationError):
        read_policy(tmp_path / "p.xml")


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://localhost:8080", True), ("http://LOCALHOST:8080", True), ("https://localhost:8080", False),
        ("http://localhost", False), ("null", False), ("http://[", False), ("http://evil@localhost:8080", False),
    ],
)  # fmt: skip
def test_the_servers_own_origin(origin, same):
    assert same_origin(origin, "http", "localhost:8080") is same
