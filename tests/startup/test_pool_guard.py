"""The process beside that of a pool: what it hands to its child, and what it believes of it."""

from __future__ import annotations

import json
import logging
import os
import pwd
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.startup.node_life import NodeLife, Stage
from catalina.startup.pool_guard import (
    MAX_LINE,
    PoolGuard,
    TellingLine,
    give_up_rights,
    private_base,
    process_environment,
)
from catalina.startup.pool_launch import PoolLaunch
from tests.support.needs import need_root

USER = pwd.getpwnam("daemon")
LOGGER = "org.apache.catalina.core.ContainerBase.[Catalina].[localhost].[/shop]"


def launch_of(uid: int = USER.pw_uid, gid: int = USER.pw_gid, home: str | None = None) -> PoolLaunch:
    return PoolLaunch(
        "Catalina/localhost//shop", LOGGER, "token", USER.pw_name, uid, gid, (gid,), 0o077, home,
        ((resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_CORE, 0)), {"conf/a/b.xml": "<b/>"}, {},
    )  # fmt: skip


def test_the_private_directory_is_its_users_alone(tmp_path: Path) -> None:
    need_root()
    before = os.umask(0)
    try:
        base = private_base(launch_of(), tmp_path, "p0")
    finally:
        os.umask(before)
    assert (base / "conf" / "a" / "b.xml").read_text() == "<b/>"
    for each in (base, *base.rglob("*")):
        status = each.stat()
        assert (status.st_uid, status.st_gid) == (USER.pw_uid, USER.pw_gid), each
        assert stat.S_IMODE(status.st_mode) & 0o077 == 0, each


def test_the_servers_variables_do_not_go_with_it(tmp_path: Path) -> None:
    server = {"PATH": "/bin", "LC_ALL": "C", "HOME": "/root", "DATABASE_PASSWORD": "secret", "CATALINA_OPTS": "-Dx=y"}
    found = process_environment(launch_of(), tmp_path, server)
    assert found == {
        "PATH": "/bin", "LC_ALL": "C", "HOME": str(tmp_path), "USER": "daemon", "LOGNAME": "daemon",
        "TMPDIR": str(tmp_path / "temp"), "PYTHONPATH": found["PYTHONPATH"],
    }  # fmt: skip
    assert process_environment(launch_of(home="/srv/shop"), tmp_path, {})["HOME"] == "/srv/shop"


def test_no_right_is_left_and_no_way_back() -> None:
    need_root()
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of the test may run on here
        try:
            give_up_rights(launch_of())
            said: object = [os.getresuid(), os.getresgid(), os.getgroups(), os.umask(0),
                            resource.getrlimit(resource.RLIMIT_NOFILE)]  # fmt: skip
        except BaseException as error:
            said = repr(error)
        os.write(writes, json.dumps(said).encode())
        os._exit(0)
    os.close(writes)
    os.waitpid(child, 0)
    said = json.loads(os.read(reads, 10_000))
    os.close(reads)
    assert said == [[USER.pw_uid] * 3, [USER.pw_gid] * 3, [USER.pw_gid], 0o077, [64, 64]]


def test_lines_are_bounded_and_any_bytes_are_text() -> None:
    lines = TellingLine()
    assert lines.feed(b"a\nb") == ["a"]
    assert lines.feed(b"c\n\xff\n") == ["bc", "\ufffd"]
    assert [len(each) for each in lines.feed(b"x" * 300_000)] == [MAX_LINE]
    assert lines.feed(b"y") == []
    assert lines.rest() == ["y"]


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[PoolGuard]:
    life = NodeLife()
    yield PoolGuard(launch_of(), life, 513, 512, tmp_path)
    life.memory.close()


def test_what_it_logs_is_logged_as_its_applications(guard: PoolGuard, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = "harmless\n30-Nov-2026 SEVERE [main] org.apache.catalina.mbeans.Audit forged"
    guard._hear(json.dumps({"level": 50, "name": "org.apache.catalina.mbeans.Audit", "text": text}))
    (record,) = caplog.records
    assert (record.name, record.levelno) == (LOGGER, logging.CRITICAL)
    assert "\n\t30-Nov-2026" in record.getMessage()
    assert record.getMessage().startswith("org.apache.catalina.mbeans.Audit: harmless")


@pytest.mark.parametrize(
    "line",
    ["text", "[]", "{}", '{"level": "x", "name": 1, "text": 2}', '{"stage": 99}', '{"stage": []}', "[" * 100_000],
)
def test_whatever_else_it_writes_is_text(guard: PoolGuard, line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    guard._hear(line)
    assert [record.getMessage() for record in caplog.records] == [line]


def test_it_says_its_own_stage_and_no_others(guard: PoolGuard) -> None:
    guard._hear(json.dumps({"stage": int(Stage.SERVING)}))
    assert guard._life.stage(513) is Stage.SERVING
    assert guard._life.stage(0) is Stage.STARTING
    assert not guard._life.is_ending
