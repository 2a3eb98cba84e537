"""Instructions per request of real nodes, and beside them those of another commit: a comparison for a busy machine.

::

    python -m benchmarks.instructions [--against COMMIT] [--only hello,counter,8,6,backup] [--requests 2000]

A clock says little while other programs share the processors. The number of instructions that a node executes does not
depend on them: two runs differ by some tenths of a per cent. So each node runs in ``valgrind --tool=callgrind``, which
counts from after the first requests on, and 16 connections make their requests at the same time. The node's own work
(pings, expiry) falls into some parts of the run, so the part with the fewest instructions counts. The work of the
kernel is not counted; the calls of it are (``strace``, in a run without valgrind, when ``--calls`` is given).

``hello`` is an application without a session and ``counter`` one that changes its session, both without a cluster;
``8`` and ``6`` are the counter with DeltaManager and these channelSendOptions, ``backup`` with BackupManager and
mapSendOptions 6. Rows with a cluster have two nodes; all requests go to the first.

Needs valgrind (and strace).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROWS = ("hello", "counter", "8", "6", "backup")
CONNECTIONS = 16
SESSIONS = 64
#: Requests before the count begins: everything is loaded and remembered then.
WARM_UP = 512
#: Parts of the run, each of which is counted for itself.
PARTS = 8
#: A node in valgrind starts slowly, and more so on a busy machine.
START_SECONDS = 300.0

#: Runs a node whose reactor never takes the role from a thread: in valgrind threads wait for each other, which looks
#: like a request that waits.
_LAUNCHER = """
import runpy, sys
import gunicorn_h1c
class Head:  # valgrind lacks an instruction of the parser, which the server asks only about heads that it has not seen
    minor_version, content_length, has_chunked, connection_close = 1, -1, False, -1
    def __init__(self, data):
        line, *fields = data[: data.index(b"\\r\\n\\r\\n")].split(b"\\r\\n")
        self.method, self.path, _ = line.split(b" ")
        self.headers = tuple([tuple(field.split(b": ")) for field in fields])
        self.consumed = data.index(b"\\r\\n\\r\\n") + 4
    def get_header(self, name):
        return dict(self.headers).get(name.title().encode())
gunicorn_h1c.parse_request_fast = lambda data, *_: Head(data)
import catalina.reactor
catalina.reactor.TICK = catalina.reactor.LAZY_TICK = 0.5
sys.argv[0] = "catalina"
runpy.run_module("catalina.startup.bootstrap", run_name="__main__", alter_sys=True)
"""
_HELLO = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, World!"]
"""
_SERVER = """
<Server port="-1"><Service name="Catalina">
  <Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" maxKeepAliveRequests="-1"/>
  <Engine name="Catalina" defaultHost="localhost" jvmRoute="{name}">
    <Host name="localhost" appBase="webapps" autoDeploy="false">{cluster}</Host>
  </Engine>
</Service></Server>
"""
_CLUSTER = """
<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="{options}">
  <Manager className="org.apache.catalina.ha.session.{manager}"/>
  <Channel className="org.apache.catalina.tribes.group.GroupChannel">
    <Membership className="org.apache.catalina.tribes.membership.McastService"
                address="228.0.0.4" port="{port}" frequency="1000" dropTime="60000" bind="127.0.0.1"/>
    <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver"
              address="127.0.0.1" port="{receiver}" autoBind="100"/>
    <Sender className="org.apache.catalina.tribes.transport.ReplicationTransmitter">
      <Transport className="org.apache.catalina.tribes.transport.nio.PooledParallelSender" timeout="60000"/>
    </Sender>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatch15Interceptor"/>
  </Channel>
  <Valve className="org.apache.catalina.ha.tcp.ReplicationValve" filter=""/>
  <ClusterListener className="org.apache.catalina.ha.session.ClusterSessionListener"/>
</Cluster>
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has now."""
    with socket.socket(type=kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class CountedNode:
    """A node of a checkout; with ``counted`` in valgrind."""

    def __init__(self, name: str, checkout: Path, base: Path, row: str, group_port: int, *, counted: bool) -> None:
        self.name, self.base, self.counted = name, base, counted
        self.port = free_port()
        self._counts = 0
        for directory in ("conf", "logs", "temp", "work", "webapps"):
            (base / directory).mkdir(parents=True)
        (base / "conf/server.xml").write_text(_server_xml(name, row, self.port, group_port))
        shutil.copy(PROJECT / "conf/web.xml", base / "conf/web.xml")
        if row == "hello":
            (base / "webapps/app").mkdir()
            (base / "webapps/app/app.py").write_text(_HELLO)
        else:
            shutil.copytree(PROJECT / "benchmarks/counter", base / "webapps/app")
        #: valgrind's pipes are in the directory of temporary files.
        self._environment = dict(os.environ, TMPDIR=str(base / "temp"))
        valgrind = [
            "valgrind",
            "--tool=callgrind",
            "--trace-children=yes",
            "--instr-atstart=no",
            f"--callgrind-out-file={base}/counts.%p",
        ]
        properties = [f"-Dcatalina.home={checkout}", f"-Dcatalina.base={base}"]
        with (base / "logs/run.out").open("wb") as out:
            self.process = subprocess.Popen(
                [*(valgrind if counted else ()), sys.executable, "-P", "-c", _LAUNCHER, *properties, "start"],
                cwd=base,
                env=dict(self._environment, PYTHONPATH=str(checkout), PYTHONHASHSEED="0"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return (self.base / "logs/run.out").read_text(errors="replace")

    def wait_started(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "Server startup in [" not in self.log:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log}")
            time.sleep(0.2)

    @property
    def worker(self) -> int:
        """The id of the process that serves: the arbiter's child."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[-1]) if children else pid

    def control(self, *arguments: str) -> None:
        """Tell callgrind something."""
        command = ["callgrind_control", *arguments, str(self.worker)]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=300)

    def take_count(self) -> int:
        """The instructions since the last call."""
        self._counts += 1
        self.control("--dump")
        path = self.base / f"counts.{self.worker}.{self._counts}"
        deadline = time.monotonic() + 60
        while not path.exists() or (found := re.search(r"^totals: (\d+)", path.read_text(), re.MULTILINE)) is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: callgrind wrote no counts")
            time.sleep(0.1)
        return int(found[1])

    def close(self) -> None:
        """End it and its worker."""
        for pid in {self.worker, self.process.pid} if self.process.poll() is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(30)


def _server_xml(name: str, row: str, port: int, group_port: int) -> str:
    cluster = ""
    if row not in ("hello", "counter"):
        manager, options = ("BackupManager", 6) if row == "backup" else ("DeltaManager", int(row))
        cluster = _CLUSTER.format(manager=manager, options=options, port=group_port, receiver=free_port())
    return _SERVER.format(name=name, port=port, cluster=cluster)


# The load


class Client:
    """Some connections, which ask at the same time; sessions come on any of them.

    The node is stopped while they ask, so that it always finds as many requests at once, however busy the machine is.
    """

    def __init__(self, node: CountedNode) -> None:
        address = ("127.0.0.1", node.port)
        self._worker = node.worker
        self._socks = [socket.create_connection(address, timeout=120) for _ in range(CONNECTIONS)]
        self._cookies = [b""]
        self._next = 0

    def close(self) -> None:
        for sock in self._socks:
            sock.close()

    def log_in(self) -> None:
        """Get the sessions."""
        self._cookies = []
        for number in range(SESSIONS):
            sock = self._socks[number % CONNECTIONS]
            sock.sendall(b"GET /app/count HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = _answer(sock)
            cookie = re.search(rb"Set-Cookie: (\S+?);", head)
            if cookie is None:
                raise RuntimeError(f"no session: {head!r}")
            self._cookies.append(b"Cookie: %b\r\n" % cookie[1])

    def _ask(self, sock: socket.socket) -> None:
        cookie = self._cookies[self._next % len(self._cookies)]
        self._next += 1
        sock.sendall(b"GET /app/count HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % cookie)

    def load(self, requests: int) -> int:
        """Make about so many requests, in rounds of all connections; returns their number. Every answer must be a
        200.
        """
        rounds = requests // len(self._socks)
        for _ in range(rounds):
            os.kill(self._worker, signal.SIGSTOP)
            try:
                for sock in self._socks:
                    self._ask(sock)
            finally:
                os.kill(self._worker, signal.SIGCONT)
            for sock in self._socks:
                _answer(sock)
        return rounds * len(self._socks)


def _answer(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(sock)
    length = re.search(rb"Content-Length: (\d+)", data)
    if length is None or not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"no usual answer: {data!r}")
    while len(data) < end + 4 + int(length[1]):
        data += _more(sock)
    return data


def _more(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise RuntimeError("the server has closed the connection")
    return data


# The measurement


@contextlib.contextmanager
def running(checkout: Path, row: str, *, counted: bool) -> Iterator[list[CountedNode]]:
    """The nodes of a row, started and ended."""
    names = ["n1"] if row in ("hello", "counter") else ["n1", "n2"]
    group_port = free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory(prefix="instructions-") as directory:
        nodes: list[CountedNode] = []
        try:
            for name in names:
                nodes.append(CountedNode(name, checkout, Path(directory) / name, row, group_port, counted=counted))
            for node in nodes:
                node.wait_started()
            yield nodes
        finally:
            for node in nodes:
                node.close()


def warm_client(nodes: Sequence[CountedNode], row: str) -> Client:
    """A client of the first node, which has served some requests."""
    client = Client(nodes[0])
    if row != "hello":
        client.log_in()
    client.load(WARM_UP)
    return client


def measure(checkout: Path, row: str, requests: int) -> list[int]:
    """Instructions per request, for each node."""
    with running(checkout, row, counted=True) as nodes:
        client = warm_client(nodes, row)
        for node in nodes:
            node.control("--instr=on")
        client.load(WARM_UP // 4)
        for node in nodes:
            node.take_count()
        counts = []
        for _ in range(PARTS):
            made = client.load(requests // PARTS)
            counts.append([node.take_count() / made for node in nodes])
        client.close()
    return [round(min(parts)) for parts in zip(*counts, strict=True)]


def count_calls(checkout: Path, row: str, requests: int) -> list[float]:
    """Calls of the kernel per request, for each node."""
    with running(checkout, row, counted=False) as nodes:
        client = warm_client(nodes, row)
        tracers = [
            subprocess.Popen(
                ["strace", "-f", "-c", "-o", str(node.base / "calls"), "-p", str(node.worker)],
                stderr=subprocess.PIPE,
                text=True,
            )
            for node in nodes
        ]
        for tracer in tracers:
            assert tracer.stderr is not None
            while "attached" not in (line := tracer.stderr.readline()):
                if not line:
                    raise RuntimeError("strace cannot attach")
        client.load(requests)
        for tracer in tracers:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(30)
            if tracer.stderr is not None:
                tracer.stderr.close()
        client.close()
        found = []
        for node in nodes:
            rows = [line.split() for line in (node.base / "calls").read_text().splitlines()]
            found.append(next(int(row[3]) for row in rows if row[-1:] == ["total"]) / requests)
        return found


@contextlib.contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A directory with a commit; a directory that is given stays as it is."""
    if Path(commit).is_dir():
        yield Path(commit).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="checkout-") as directory:
        path = Path(directory) / "project"
        git = ["git", "-C", str(PROJECT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(path), commit], check=True, capture_output=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True, capture_output=True)


def words(numbers: Sequence[float], form: str) -> str:
    return " + ".join(format(number, form) for number in numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="COMMIT", help="a commit, or a directory with another checkout")
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--requests", type=int, default=3200)
    parser.add_argument("--calls", action="store_true", help="count the calls of the kernel, too")
    arguments = parser.parse_args()
    for program in ("valgrind", *(["strace"] if arguments.calls else [])):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    print("thousands of instructions per request, of the first node + the second\n")
    print(f"{'':10}{'before':>20}{'now':>20}{'change':>9}")
    with contextlib.ExitStack() as stack:
        checkouts = [stack.enter_context(checked_out(arguments.against))] if arguments.against else []
        checkouts.append(PROJECT)
        for row in arguments.only.split(","):
            counts = [measure(checkout, row, arguments.requests) for checkout in checkouts]
            line = "".join(f"{words([each / 1000 for each in count], '.1f'):>20}" for count in counts)
            if len(counts) == 2:
                line += f"{sum(counts[1]) / sum(counts[0]) - 1:>+9.1%}"
            if arguments.calls:
                calls = [count_calls(checkout, row, arguments.requests) for checkout in checkouts]
                line += "   calls " + ", ".join(words(call, ".2f") for call in calls)
            print(f"{row:10}{'' if arguments.against else ' ' * 20}{line}", flush=True)


if __name__ == "__main__":
    main()
