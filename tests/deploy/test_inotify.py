"""One inotify instance for the whole process, and what happens where there is none."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalina.deploy import inotify
from catalina.deploy.inotify import Changes
from tests.support.needs import missing
from tests.support.waiting import wait_until


def no_more(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def instances() -> int:
    """inotify instances of this process."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}") == "anon_inode:inotify"
        except FileNotFoundError:
            continue
    return found


class Seen(list[str]):
    """A callback that remembers names, and a way to wait for one."""

    def wait_for(self, name: str) -> None:
        wait_until(lambda: name in self, f"{name} is seen")


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Changes]:
    made = Changes()
    watched: list[tuple[str, Callable[[str], None]]] = []
    watch = made.watch

    def remembered(directory: str, callback: Callable[[str], None]) -> None:
        watched.append((directory, callback))
        watch(directory, callback)

    monkeypatch.setattr(made, "watch", remembered)
    yield made
    for each in watched:
        made.unwatch(*each)
    wait_until(lambda: made._thread is None, "the thread ends")


def test_changes_of_all_directories_come_by_one_instance(changes, tmp_path):
    before = instances()
    seen = []
    for number in range(50):
        (tmp_path / str(number)).mkdir()
        seen.append(Seen())
        changes.watch(str(tmp_path / str(number)), seen[-1].append)
    assert instances() == before + 1
    for number in (0, 49):
        (tmp_path / str(number) / "new").touch()
        seen[number].wait_for("new")
        assert not changes.is_polled(str(tmp_path / str(number)))
    assert seen[25] == []


@pytest.mark.parametrize("what", ["write", "touch", "remove", "rename", "directory"])
def test_every_kind_of_change_is_seen(changes, tmp_path, what):
    file, seen = tmp_path / "a", Seen()
    file.touch()
    changes.watch(str(tmp_path), seen.append)
    if what == "write":
        file.write_text("x")
    elif what == "touch":
        os.utime(file, (1, 1))
    elif what == "remove":
        file.unlink()
    elif what == "rename":
        file.rename(tmp_path / "b")
        seen.wait_for("b")
    else:
        (tmp_path / "d").mkdir()
        seen.wait_for("d")
        return
    seen.wait_for("a")


def test_a_directory_watched_twice_tells_both_until_one_is_no_longer_interested(changes, tmp_path):
    one, two = Seen(), Seen()
    changes.watch(str(tmp_path), one.append)
    changes.watch(str(tmp_path), two.append)
    changes.unwatch(str(tmp_path), one.append)
    (tmp_path / "new").touch()
    two.wait_for("new")
    assert one == []


def test_a_directory_that_goes_and_comes_back_is_watched_again(changes, tmp_path, monkeypatch):
    monkeypatch.setattr(inotify, "POLL_SECONDS", 0.05)
    seen = Seen()
    (tmp_path / "d").mkdir()
    changes.watch(str(tmp_path / "d"), seen.append)
    (tmp_path / "d").rmdir()
    seen.wait_for("")
    (tmp_path / "d").mkdir()
    wait_until(lambda: not changes.is_polled(str(tmp_path / "d")), "it is watched again")
    (tmp_path / "d/new").touch()
    seen.wait_for("new")


@pytest.mark.parametrize("lacking", ["instances", "watches"])
def test_without_instances_or_watches_directories_are_listed(changes, tmp_path, monkeypatch, caplog, lacking):
    monkeypatch.setattr(inotify, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(inotify.Inotify, "__init__" if lacking == "instances" else "add", no_more)
    one, two = Seen(), Seen()
    for name, seen in (("one", one), ("two", two)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
        changes.watch(str(tmp_path / name), seen.append)
    assert changes.is_polled(str(tmp_path / "one"))
    (tmp_path / "two/new").touch()
    two.wait_for("new")
    (tmp_path / "one/old").write_text("longer")
    one.wait_for("old")
    (tmp_path / "one/old").unlink()
    wait_until(lambda: one.count("old") >= 2, "its end is seen")
    assert caplog.text.count("fs.inotify.max_user_instances") == 1


def test_inotify_is_tried_again(changes, tmp_path, monkeypatch):
    monkeypatch.setattr(inotify, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(inotify, "RETRY_SECONDS", 0.1)
    with monkeypatch.context() as scarce:
        scarce.setattr(inotify.Inotify, "__init__", no_more)
        seen = Seen()
        changes.watch(str(tmp_path), seen.append)
        assert changes.is_polled(str(tmp_path))
    wait_until(lambda: not changes.is_polled(str(tmp_path)), "there is a watch")
    (tmp_path / "new").touch()
    seen.wait_for("new")


def test_a_callback_that_fails_stops_nobody(changes, tmp_path, caplog):
    seen = Seen()

    def fail(name: str) -> None:
        raise ValueError(name)

    changes.watch(str(tmp_path), fail)
    changes.watch(str(tmp_path), seen.append)
    (tmp_path / "new").touch()
    seen.wait_for("new")
    assert "could not be passed on" in caplog.text


MANY_HOSTS = """
import os, resource, sys
from pathlib import Path
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.startup.host_config import HostConfig

base, hosts, descriptors = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
held = []
server = StandardServer(port=-1)
server.catalina_base = server.catalina_home = base
service = StandardService(name="Catalina")
server.add_service(service)
engine = StandardEngine(name="Catalina", default_host="h0", background_processor_delay=-1)
service.set_engine(engine)
for number in range(hosts):
    host = StandardHost(name=f"h{number}", app_base=f"webapps{number % 3}")
    host.add_lifecycle_listener(HostConfig())
    engine.add_child(host)
resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
if sys.argv[4] == "descriptors":
    while True:
        try:
            held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            break
    for each in held[-6:]:
        os.close(each)
server.start()
found = sum(os.readlink(f"/proc/self/fd/{name}") == "anon_inode:inotify"
            for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}"))
print("started", sum(host.state.available for host in engine.children), "instances", found)
server.stop()
server.destroy()
print("stopped")
"""


@pytest.mark.parametrize(
    ("hosts", "descriptors", "scarce", "instances_used"),
    [
        (200, 1024, "nothing", 1),
        (200, 1024, "instances", 0),
        (20, 1024, "watches", 1),
        (50, 64, "nothing", 1),
        (20, 64, "descriptors", None),
    ],
)
def test_a_server_with_many_hosts_starts_whatever_is_scarce(
    tmp_path: Path, hosts: int, descriptors: int, scarce: str, instances_used: int | None
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "webapps0/ROOT").mkdir(parents=True)
    words = [sys.executable, "-c", MANY_HOSTS, str(tmp_path), str(hosts), str(descriptors), scarce]
    if scarce in ("instances", "watches"):  # the kernel's own limits, of a user namespace
        limit = f"echo {int(scarce == 'watches')} > /proc/sys/user/max_inotify_{scarce}"
        check = subprocess.run(["unshare", "-Ur", "sh", "-c", limit], capture_output=True, text=True, check=False)
        if check.returncode:
            missing(f"no user namespace: {check.stderr}")
        words = ["unshare", "-Ur", "sh", "-c", f'{limit}; exec "$@"', "sh", *words]
    done = subprocess.run(
        words,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"started {hosts} instances ")
    assert instances_used is None or lines[0].endswith(f" {instances_used}")
    assert lines[1] == "stopped"
