"""Group communication beside the Java classes, in one run: ``python benchmarks/tribes.py``.

Throughput, 1 sender to 1 and to 3 receivers, each member a process of its own on the loopback interface. Messages are
sent as the request path sends them: Python posts them from its event loop, Java sends from 8 threads; both until all
receivers have all. Then the time to notice a ``kill -9`` and an unplugged link, and to elect a new leader.

Options 8 (asynchronous), 0 (no acknowledgement), 2 (acknowledged), 6 (acknowledged when worked through). Needs Java and
Tomcat's jars; root for the unplugged link. ``--quick`` sends a tenth.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from catalina.tribes.channel import ChannelMessage, Delivery  # noqa: E402  # the path comes first
from catalina.tribes.group.group_channel import GroupChannel  # noqa: E402
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor  # noqa: E402
from catalina.tribes.group.interceptors.non_blocking_coordinator import NonBlockingCoordinator  # noqa: E402
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector  # noqa: E402
from catalina.tribes.member import Member  # noqa: E402
from catalina.tribes.membership.mcast_service import McastService  # noqa: E402
from catalina.tribes.transport.nio.nio_receiver import NioReceiver  # noqa: E402
from tests.interop.tribes_driver import TribesDriver, compile_driver  # noqa: E402
from tests.support.ports import free_port, free_udp_port  # noqa: E402

#: Options, bytes, messages.
CASES = [
    (8, 300, 100_000),
    (0, 300, 100_000),
    (2, 300, 50_000),
    (6, 300, 50_000),
    (8, 65_536, 4_000),
    (0, 65_536, 4_000),
    (2, 65_536, 4_000),
    (6, 65_536, 4_000),
]
JAVA_THREADS = 8
#: Messages that Python has on their way at a time, as many as a busy server has requests.
IN_FLIGHT = 64
REPEATS = 3


class PythonMember:
    """The benchmark's own process as one member, led by lines like the Java driver; see :func:`serve`."""

    def __init__(self, mcast: int, interceptors: str, host: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, __file__, "--member", str(mcast), interceptors, host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.lines: list[str] = []
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()
        self.port = int(self.wait_for("started").split()[1].split("/")[0])

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._condition:
                self.lines.append(line.strip())
                self._condition.notify_all()

    def wait_for(self, start: str, timeout: float = 30.0) -> str:
        deadline = time.monotonic() + timeout
        with self._condition:
            while not (found := [line for line in self.lines if line.startswith(start)]):
                if not self._condition.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"no line {start!r} within {timeout} s: {self.lines[-10:]}")
            return found[0]

    def ask(self, command: str, answer: str, timeout: float = 300.0) -> str:
        with self._condition:
            self.lines[:] = [line for line in self.lines if not line.startswith(answer)]
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.wait_for(answer, timeout)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()  # type: ignore[union-attr]
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._thread.join(5)
        self.process.stdout.close()  # type: ignore[union-attr]


class _Listener:
    def __init__(self) -> None:
        self.received = 0

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        return True

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        self.received += 1

    def member_added(self, member: Member) -> None:
        print(f"added {member.port}", flush=True)

    def member_disappeared(self, member: Member) -> None:
        print(f"gone {member.port}", flush=True)


def serve(mcast: int, interceptors: str, host: str) -> None:
    """One Python member that obeys lines: flood OPTIONS COUNT SIZE, received, leader, send."""
    channel = GroupChannel()
    channel.set_membership_service(McastService(port=mcast, bind=host, frequency=500, drop_time=3000))
    channel.set_channel_receiver(NioReceiver(address=host, port=free_port()))
    coordinator = NonBlockingCoordinator()
    made = {
        "dispatch": MessageDispatchInterceptor(),
        "tfd": TcpFailureDetector(),
        "coordinator": coordinator,
    }
    for name in interceptors.split(","):
        channel.add_interceptor(made[name])
    listener = _Listener()
    channel.add_channel_listener(listener)
    channel.add_membership_listener(listener)
    channel.start()
    print(f"started {channel.local_member.port}/{channel.local_member.unique_id.hex()}", flush=True)
    told = 0
    for line in sys.stdin:
        words = line.split()
        if words[0] == "flood":
            print(f"flooded {_flood(channel, *map(int, words[1:4]))}", flush=True)
        elif words[0] == "received":
            total = listener.received  # the loop's thread counts on, so nothing is reset
            print(f"received {total - told}", flush=True)
            told = total
        elif words[0] == "leader":
            leader = coordinator.coordinator
            print(f"leader {leader.port if leader else 'none'}", flush=True)
        elif words[0] == "send":
            channel.send(channel.members, bytes.fromhex(words[2]), int(words[1]))
            print("sent", flush=True)
    channel.stop()


def _flood(channel: GroupChannel, options: int, count: int, size: int) -> int:
    """Post ``count`` messages from the loop, ``IN_FLIGHT`` at a time; return the nanoseconds until all are through."""
    reactor, members, message = channel.running_reactor, channel.members, bytes(size)
    done = threading.Event()
    posted = finished = 0

    def through(delivery: Delivery) -> None:
        nonlocal finished
        finished += 1
        if finished == count:
            done.set()
        elif delivery.faulty:
            print(f"failed {delivery.faulty}", file=sys.stderr)

    def fill() -> None:
        nonlocal posted
        while posted < count and posted - finished < IN_FLIGHT:
            posted += 1
            channel.post(members, message, options).add_done_callback(through)
            if posted % IN_FLIGHT == 0:
                break  # asynchronous ones are done at once: leave the round so that they can be written
        if posted < count:
            reactor.call_soon(fill) if posted - finished < IN_FLIGHT else reactor.at_round_end(later)

    def later() -> None:
        # The acknowledgements come with the next poll.
        reactor.call_later(0, fill)

    start = time.perf_counter_ns()
    reactor.call_soon(fill)
    done.wait()
    return time.perf_counter_ns() - start


Made = Callable[[int, str], "PythonMember | TribesDriver"]


def java_maker(class_path: str) -> Made:
    """Makes Java members."""

    def make(mcast: int, interceptors: str) -> TribesDriver:
        driver = TribesDriver(class_path, mcast=mcast, interceptors=interceptors, frequency=500)
        driver.wait_for("started")
        return driver

    return make


@contextlib.contextmanager
def group(make: Made, size: int, interceptors: str) -> Iterator[list[PythonMember | TribesDriver]]:
    """So many members that all see each other."""
    mcast = free_udp_port()
    members: list[PythonMember | TribesDriver] = []
    try:
        for _ in range(size):
            members.append(make(mcast, interceptors))
        for member in members:
            for other in members:
                if other is not member:
                    member.wait_for(f"added {other.port}")
        yield members
    finally:
        for member in members:
            member.close()


def throughput(make: Made, receivers: int, options: int, size: int, count: int) -> float:
    """Messages per second, the median of some runs on one group."""
    with group(make, receivers + 1, "dispatch,tfd") as (sender, *others):
        rates = []
        if isinstance(sender, TribesDriver):
            for member in others:
                member.ask("quiet", "quiet")
        _one_run(sender, others, options, size, max(count // 5, 200))  # warm
        for _ in range(REPEATS):
            rates.append(count / _one_run(sender, others, options, size, count))
    return sorted(rates)[len(rates) // 2]


def _one_run(sender, others, options: int, size: int, count: int) -> float:  # type: ignore[no-untyped-def]
    for member in others:
        member.ask("received", "received")
    start = time.perf_counter()
    sender.ask(f"flood {options} {count} {size} {JAVA_THREADS}", "flooded", 300.0)
    waiting = dict.fromkeys(range(len(others)), 0)
    while waiting:
        for index in tuple(waiting):
            waiting[index] += int(others[index].ask("received", "received").split()[1])
            if waiting[index] >= count:
                del waiting[index]
        if time.perf_counter() - start > 300:
            raise TimeoutError(f"lost messages: {waiting} of {count}")
    return time.perf_counter() - start


def detection(make: Made, connected: bool) -> float:
    """Seconds from kill -9 of a member to the news at another; ``connected``: a message had gone to it before."""
    with group(make, 2, "dispatch,tfd") as (watcher, victim):
        if connected:
            watcher.ask("send 2 00", "sent")
        time.sleep(1.0)
        start = time.perf_counter()
        victim.kill()
        watcher.wait_for(f"gone {victim.port}", 30)
        return time.perf_counter() - start


def election(make: Made) -> float:
    """Seconds from kill -9 of the leader of three to a new one that the two others agree on."""
    with group(make, 3, "coordinator,tfd") as members:
        _agreed(members, {member.port for member in members})
        leader_port = _leader(members[0])
        leader = next(member for member in members if member.port == leader_port)
        rest = [member for member in members if member is not leader]
        for member in rest:
            member.ask("send 2 00", "sent")
        start = time.perf_counter()
        leader.kill()
        _agreed(rest, {member.port for member in rest})
        return time.perf_counter() - start


def _leader(member) -> int:  # type: ignore[no-untyped-def]
    words = member.ask("leader", "leader").split()
    return 0 if words[1] == "none" else int(words[1].split("/")[0])


def _agreed(members, ports: set[int]) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while len(leaders := {_leader(member) for member in members}) != 1 or not leaders <= ports:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no agreement: {leaders}")
        time.sleep(0.005)


def unplugged(class_path: str | None) -> float:
    """Seconds from ``ip link set down`` to the news, between two network namespaces; class_path None is Python."""
    names = [f"tribes-bench-{os.getpid()}-{number}" for number in (1, 2)]
    hosts = ["10.99.77.1", "10.99.77.2"]
    members: list[PythonMember | TribesDriver] = []
    mcast = free_udp_port()
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", "tb1", "netns", names[0], "type", "veth", "peer", "name", "tb2", "netns", names[1])
        for name, device, host in zip(names, ("tb1", "tb2"), hosts, strict=True):
            _ip("-n", name, "addr", "add", f"{host}/24", "dev", device)
            _ip("-n", name, "link", "set", device, "up")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "route", "add", "224.0.0.0/4", "dev", device)
        for name, host in zip(names, hosts, strict=True):
            prefix = ("ip", "netns", "exec", name)
            if class_path is None:
                members.append(PythonMember(mcast, "dispatch,tfd", host, prefix))
            else:
                driver = TribesDriver(
                    class_path, prefix=prefix, mcast=mcast, host=host, interceptors="dispatch,tfd", frequency=500
                )
                driver.wait_for("started")
                members.append(driver)
        watcher, lost = members
        watcher.wait_for(f"added {lost.port}")
        lost.wait_for(f"added {watcher.port}")
        time.sleep(1.0)
        start = time.perf_counter()
        _ip("-n", names[1], "link", "set", "tb2", "down")
        watcher.wait_for(f"gone {lost.port}", 60)
        return time.perf_counter() - start
    finally:
        for member in members:
            member.kill()
            member.close()
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def main() -> None:
    """Print a line for each case: ours, Java's, and ours as a multiple of Java's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    parser.add_argument("--only", default="", help="throughput, detection, election or unplugged")
    parser.add_argument("--member", nargs=3, metavar=("MCAST", "INTERCEPTORS", "HOST"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.member:
        serve(int(arguments.member[0]), arguments.member[1], arguments.member[2])
        return
    with tempfile.TemporaryDirectory() as directory:
        class_path = compile_driver(Path(directory))
        makers = (PythonMember, java_maker(class_path))
        if arguments.only in ("", "throughput"):
            print(f"{'throughput':34} {'Python':>12} {'Java':>12}   ratio")
            for receivers in (1, 3):
                for options, size, count in CASES:
                    rates = [
                        throughput(make, receivers, options, size, count // (10 if arguments.quick else 1))
                        for make in makers
                    ]
                    name = f"1 to {receivers}, {size} B, options {options}"
                    print(f"{name:34} {rates[0]:10.0f}/s {rates[1]:10.0f}/s  {rates[0] / rates[1]:5.2f}x", flush=True)
        times: list[tuple[str, Callable[[], float], Callable[[], float]]] = []
        if arguments.only in ("", "detection"):
            for connected, how in ((True, "after a message"), (False, "idle")):
                times.append(
                    (f"kill -9 noticed, {how}", *(lambda m=make, c=connected: detection(m, c) for make in makers))  # type: ignore[misc]
                )
        if arguments.only in ("", "election"):
            times.append(("new leader after kill -9", *(lambda m=make: election(m) for make in makers)))  # type: ignore[misc]
        if arguments.only in ("", "unplugged") and os.geteuid() == 0:
            times.append(("unplugged link noticed", lambda: unplugged(None), lambda: unplugged(class_path)))
        for name, ours, java in times:
            mine, theirs = sorted(ours() for _ in range(REPEATS))[1], sorted(java() for _ in range(REPEATS))[1]
            print(f"{name:34} {mine:10.3f} s {theirs:10.3f} s  {mine / theirs:5.2f}x", flush=True)


if __name__ == "__main__":
    main()
