"""Starts a pool's process that has a user of its own, and stays beside it until it ends.

The arbiter has forked this process, so it has the server's rights and memory; it runs no code of an application. Its
child gives up every right, closes what it must not have, and becomes a new program (``execve``): nothing of the
server's memory is in it. This process reads what the child logs and prints, passes signals on, and removes the child's
private directory when it has ended, however that was.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import catalina
from catalina.startup.node_life import NodeLife, Stage
from catalina.startup.process_control import die_with_parent, forbid_new_rights

if TYPE_CHECKING:
    from catalina.startup.pool_launch import PoolLaunch

__all__ = ["PoolGuard", "TellingLine", "give_up_rights", "private_base", "process_environment"]

log = logging.getLogger("org.apache.catalina.startup.PoolGuard")

#: Characters of a line that the process logs or prints; a longer one is cut.
MAX_LINE = 16 * 1024
#: Bytes without an end of line that are kept.
MAX_PENDING = 256 * 1024
#: Seconds between two looks at a process that says nothing.
LOOK_SECONDS = 0.5
#: Seconds for what the process has written, and others hold open, when it has ended.
DRAIN_SECONDS = 1.0

#: Seconds that the process may take for its end: as long as any worker's requests, and a moment.
END_SECONDS = 45.0

#: Variables that every program may have; all others are the server's, and may be secrets.
_PUBLIC = ("PATH", "LANG", "LANGUAGE", "TZ", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONHASHSEED")
_LAUNCH = "launch.json"
_MODULE = "catalina.startup.pool_process"


class TellingLine:
    """Cuts a stream into lines of bounded length."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[str]:
        """The complete lines; a line that never ends is given in pieces."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > MAX_PENDING:
            lines.append(self._pending)
            self._pending = b""
        return [line[:MAX_LINE].decode("utf-8", "replace") for line in lines if line]

    def rest(self) -> list[str]:
        """The last line, which has no end."""
        return self.feed(b"\n")


def private_base(launch: PoolLaunch, directory: Path, name: str) -> Path:
    """Make the directory that is the base, the home and the place for temporary files of one process: its own user's
    alone.

    Raises:
        OSError: it cannot be made.
    """
    base = Path(tempfile.mkdtemp(prefix=f"pool-{name}-", dir=directory))  # mode 0700
    for inner in ("conf", "temp", "work", "logs", "webapps"):
        (base / inner).mkdir(mode=0o700)
    for relative, text in launch.files.items():
        file = base / relative
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    if os.geteuid() == 0:
        for parent, names, files in os.walk(base):
            for each in (parent, *(os.path.join(parent, inner) for inner in (*names, *files))):
                os.chown(each, launch.uid, launch.gid, follow_symlinks=False)
    return base


def process_environment(launch: PoolLaunch, base: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the process: those of its user, and none of the server's own."""
    found = {name: environ[name] for name in environ if name in _PUBLIC or name.startswith("LC_")}
    temporary = str(base / "temp")
    return found | {
        "HOME": launch.home or str(base),
        "USER": launch.user,
        "LOGNAME": launch.user,
        "TMPDIR": temporary,
        "PYTHONPATH": str(Path(catalina.__file__).parents[1]),
    }


def give_up_rights(launch: PoolLaunch) -> None:
    """Become the launch's user, for good: no id of the server is left, and no program can give one back.

    Raises:
        OSError: the system refuses it, or has left a way back.
    """
    for number, value in launch.limits:
        hard = resource.getrlimit(number)[1]
        wanted = value if hard == resource.RLIM_INFINITY or os.geteuid() == 0 else min(value, hard)
        resource.setrlimit(number, (wanted, wanted))
    os.umask(launch.umask)
    if os.geteuid() == 0:
        os.setgroups(launch.groups)  # first, as only the superuser may
        os.setresgid(launch.gid, launch.gid, launch.gid)
        os.setresuid(launch.uid, launch.uid, launch.uid)
    if os.getresuid() != (launch.uid,) * 3 or os.getresgid() != (launch.gid,) * 3:
        raise PermissionError(f"the process is {os.getresuid()} and {os.getresgid()}")
    forbid_new_rights()
    try:
        os.setresuid(0, 0, 0)
    except PermissionError:
        return
    raise PermissionError("the process could become the superuser again")


class PoolGuard:
    """The process beside that of a pool.

    Args:
        place: of the worker in the arbiter's counting.
        index: of the worker.
        temporary: the server's directory for temporary files.
    """

    def __init__(self, launch: PoolLaunch, life: NodeLife, place: int, index: int, temporary: Path) -> None:
        self._launch = launch
        self._life = life
        self._place = place
        self._index = index
        self._temporary = temporary
        self._child = 0
        #: When the process is killed that was told to end; 0 before.
        self._end_at = 0.0
        self._log = logging.getLogger(launch.logger)

    def run(self, address: bytes | str, moves: int, name: str) -> int:
        """Start the process and stay until it has ended; returns the exit code.

        Args:
            address: of the keeper.
            moves: the descriptor from which it reads what other workers send it.
            name: of the worker, for people.
        """
        base = private_base(self._launch, self._temporary, name)
        try:
            return self._run(base, address, moves, name)
        finally:
            shutil.rmtree(base, ignore_errors=True)

    def _run(self, base: Path, address: bytes | str, moves: int, name: str) -> int:
        printed, prints = os.pipe()
        told, tells = os.pipe()
        begun = {
            "key": self._launch.key,
            "index": self._index,
            "name": name,
            "token": self._launch.token,
            "address": os.fsdecode(address),
            "moves": moves,
            "tells": tells,
            "properties": self._launch.properties,
        }
        file = base / _LAUNCH
        file.touch(mode=0o600)
        file.write_text(json.dumps(begun))
        if os.geteuid() == 0:
            os.chown(file, self._launch.uid, self._launch.gid)
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            self._become(base, prints, tells, moves, parent)
        os.close(prints)
        os.close(tells)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._pass_on)
        return self._follow(printed, told)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGQUIT and not self._end_at:
            self._end_at = time.monotonic() + END_SECONDS
        try:
            os.kill(self._child, signal.SIGQUIT if number == signal.SIGQUIT else signal.SIGTERM)
        except ProcessLookupError:
            log.debug("Process %d has ended before signal %d", self._child, number)

    # -- the child -----------------------------------------------------------------------------------------------

    def _become(self, base: Path, prints: int, tells: int, moves: int, parent: int) -> NoReturn:
        """In the child: become the process."""
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
                if signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for descriptor, source in ((0, nothing), (1, prints), (2, prints)):
                os.dup2(source, descriptor)
            _close_others((0, 1, 2, tells, moves))
            for kept in (tells, moves):
                os.set_inheritable(kept, True)
            give_up_rights(self._launch)
            die_with_parent(parent)  # the last of it: a change of ids would forget it
            os.chdir(self._launch.home or base)
            environment = process_environment(self._launch, base, os.environ)
            command = [sys.executable, "-P", "-m", _MODULE, str(base / _LAUNCH)]
            os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted
        except BaseException as error:  # noqa: BLE001 - nothing of the parent may run on in the child
            os.write(2, f"The process cannot be started as [{self._launch.user}]: {error}\n".encode())
        os._exit(1)

    # -- this process --------------------------------------------------------------------------------------------

    def _follow(self, printed: int, told: int) -> int:
        """Read what the process says until it has ended; returns its exit code."""
        lines = {printed: TellingLine(), told: TellingLine()}
        says = {printed: self._print, told: self._hear}
        with select.epoll() as poll:
            for each in lines:
                os.set_blocking(each, False)
                poll.register(each, select.EPOLLIN)
            code = None
            until = 0.0
            while code is None or (lines and time.monotonic() < until):
                for descriptor, _ in poll.poll(LOOK_SECONDS if code is None else 0.05):
                    try:
                        data = os.read(descriptor, 65536)
                    except BlockingIOError:
                        continue
                    for line in lines[descriptor].feed(data) if data else lines[descriptor].rest():
                        says[descriptor](line)
                    if not data:
                        poll.unregister(descriptor)
                        os.close(descriptor)
                        del lines[descriptor]
                if code is None:
                    if self._end_at and time.monotonic() > self._end_at:
                        self._kill()
                    code = self._ended()
                    until = time.monotonic() + DRAIN_SECONDS
        for descriptor in lines:
            os.close(descriptor)
        return code

    def _kill(self) -> None:
        """It was told to end, and does not: its place is wanted."""
        log.warning("Process %d of user [%s] has not ended within %g s and is killed", self._child, self._launch.user,
                    END_SECONDS)  # fmt: skip
        os.kill(self._child, signal.SIGKILL)
        self._end_at = time.monotonic() + END_SECONDS

    def _ended(self) -> int | None:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if not pid:
            return None
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            self._log.error("Process %d of user [%s] has ended by signal %d", pid, self._launch.user, -code)
            return 128 - code
        return code

    def _print(self, line: str) -> None:
        self._log.info("%s", line)

    def _hear(self, line: str) -> None:
        """A line of the log, or the process's stage, as JSON. It may be anything: the application can write it, too."""
        try:
            said = json.loads(line)
            if said.keys() == {"stage"}:
                self._life.note(Stage(said["stage"]), self._place)
                return
            text = f"{said['name']}: {said['text']}".replace("\n", "\n\t")  # no line of it looks like another's
            level = int(said["level"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._print(line)
            return
        self._log.log(min(max(level, logging.DEBUG), logging.CRITICAL), "%s", text, extra={"keeps_lines": True})


def _close_others(kept: Collection[int]) -> None:
    """Close every descriptor but these."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # that of the listing itself
                os.close(int(name))
