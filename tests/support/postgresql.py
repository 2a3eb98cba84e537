"""A PostgreSQL server of the test's own, in a temporary directory, reached by loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.needs import missing
from tests.support.ports import free_port

__all__ = ["PASSWORD", "USER", "postgresql"]

USER, PASSWORD = "shop", "se:cr@t"


def _programs() -> Path:
    """The directory of initdb and pg_ctl: Debian keeps them out of the PATH, one for each version."""
    found = shutil.which("initdb")
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in (*candidates, *([Path(found).resolve().parent] if found else [])):
        if all((directory / program).exists() for program in ("initdb", "pg_ctl", "createdb")):
            return directory
    return missing("PostgreSQL is not installed (Debian package postgresql)")


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the user to run as then."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


@contextmanager
def postgresql() -> Iterator[int]:
    """Run a server with the database ``shop`` and the user above; yields its port."""
    programs, user = _programs(), _unprivileged()
    directory = Path(tempfile.mkdtemp(prefix="catalina-pg-"))
    password_file = directory / "password"
    password_file.write_text(PASSWORD)
    if user is not None:
        for path in (directory, password_file):
            shutil.chown(path, user)
    data = directory / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments], check=True, capture_output=True, timeout=60, user=user, cwd=directory,
            env={**os.environ, "LC_ALL": "C.UTF-8", "PGPASSWORD": PASSWORD},
        )  # fmt: skip

    try:
        run("initdb", "-D", str(data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={password_file}", "-N")
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync=off"
        run("pg_ctl", "-D", str(data), "-o", options, "-w", "-t", "30", "-l", str(directory / "log"), "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", USER, "shop")
            yield port
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
