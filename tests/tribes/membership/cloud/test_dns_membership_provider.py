"""Members of a name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.membership.cloud import dns_membership_provider as module
from catalina.tribes.membership.cloud.cloud_membership_provider import member_id
from tests.support.narrowing import of_type
from tests.support.needs import need_network_namespaces
from tests.tribes.fakes import a_member
from tests.tribes.membership.cloud.fakes import CloudChannel, make_service


@pytest.fixture
def addresses(monkeypatch):
    """The answer of the name server."""
    known: list[str] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]

    def look_up(name, port, type):
        if not known:
            raise OSError("Name or service not known")
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in known]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("DNS_MEMBERSHIP_SERVICE_NAME", "nodes.example.org")
    return known


def test_every_other_address_is_a_member_with_the_own_port(addresses):
    service, top, _ = make_service("dns")
    service.start(4)
    assert [(member.name, member.unique_id, member.alive_ms) for member in service.members] == [
        ("tcp://10.0.0.2:4000", member_id("10.0.0.2"), -1),
        ("tcp://10.0.0.3:4000", member_id("10.0.0.3"), -1),
    ]
    assert [kind for kind, _ in top.events] == ["added", "added"]


def test_a_name_server_that_does_not_answer_is_logged(addresses, caplog):
    addresses.clear()
    service, top, _ = make_service("dns")
    service.start(4)
    assert "Error getting hosts address list for namespace [nodes.example.org]" in caplog.text
    assert top.events == []


def test_a_stranger_who_sends_is_a_member_and_his_message_is_for_others(addresses):
    service, top, _ = make_service("dns")
    service.start(4)
    [listener] = of_type(CloudChannel, service.channel).listeners
    stranger = a_member(9)
    for _ in range(2):
        assert listener.accept(ChannelMessage(b"", 0, 0, b"", stranger), stranger) is False
    assert [member.unique_id for _, member in top.events[2:]] == [member_id("10.0.0.9")]
    service.stop(4)
    assert of_type(CloudChannel, service.channel).listeners == []


def test_without_a_name_the_namespace_is_looked_up(addresses, monkeypatch):
    monkeypatch.delenv("DNS_MEMBERSHIP_SERVICE_NAME")
    monkeypatch.setenv("KUBERNETES_NAMESPACE", "shop")
    service, _, _ = make_service("dns")
    service.start(4)
    assert of_type(module.DNSMembershipProvider, service.provider).name == "shop"


def answer_dns(sock: socket.socket, addresses: list[bytes], stop: threading.Event) -> None:
    """A name server of one name: A records for every question about addresses, nothing for others."""
    while not stop.is_set():
        try:
            query, sender = sock.recvfrom(512)
        except TimeoutError:
            continue
        end = query.index(b"\0", 12) + 5
        is_a = query[end - 4 : end - 2] == b"\0\1"
        records = [b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + address for address in addresses] if is_a else []
        head = query[:2] + b"\x81\x80\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
        sock.sendto(head + query[12:end] + b"".join(records), sender)


def look_up_in_namespace() -> None:
    """Runs in a network namespace whose resolver asks 127.0.0.1: a real lookup through the system's resolver."""
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 53))
        sock.settimeout(0.05)
        addresses = [bytes([10, 0, 0, 1]), bytes([10, 0, 0, 7])]
        thread = threading.Thread(target=answer_dns, args=(sock, addresses, stop))
        thread.start()
        service, _, reactor = make_service("dns")
        service.start(4)
        print([member.name for member in service.members])
        addresses.append(bytes([10, 0, 0, 8]))
        service.heartbeat(0)
        reactor.run()
        print(sorted(member.name for member in service.members))
        stop.set()
        thread.join()


@pytest.mark.netns
def test_a_real_name_server_is_asked():
    need_network_namespaces()
    name = f"catalina-dns-{os.getpid()}"
    resolver = Path("/etc/netns") / name
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        resolver.mkdir(parents=True)
        (resolver / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (resolver / "nsswitch.conf").write_text("hosts: files dns\n")
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        done = subprocess.run(
            ["ip", "netns", "exec", name, sys.executable, "-m", __name__],
            env=os.environ | {"DNS_MEMBERSHIP_SERVICE_NAME": "nodes.example.org"},
            cwd=Path(__file__).parents[4],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.stdout.splitlines() == [
            "['tcp://10.0.0.7:4000']",
            "['tcp://10.0.0.7:4000', 'tcp://10.0.0.8:4000']",
        ], done.stderr
    finally:
        for file in resolver.glob("*"):
            file.unlink()
        resolver.rmdir()
        subprocess.run(["ip", "netns", "delete", name], check=True)


if __name__ == "__main__":
    look_up_in_namespace()
