"""The account that a pool's processes run as: ``user``, ``group``, ``umask`` and limits of a Context."""

from __future__ import annotations

import grp
import json
import os
import pwd
import resource
import stat
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import DeploymentError

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["PoolAccount", "account_of", "check_access", "let_read", "own_context_file"]

#: The limits, by the names of the attributes.
_LIMITS = {
    "max_open_files": resource.RLIMIT_NOFILE,
    "max_processes": resource.RLIMIT_NPROC,
    "max_address_space": resource.RLIMIT_AS,
}
CONTEXT_XML = Path("META-INF", "context.xml")


@dataclass(frozen=True, slots=True)
class PoolAccount:
    """The ids and limits of a process.

    Args:
        groups: the user's groups, and no others.
        home: its HOME and working directory; None for its private directory.
        limits: by the numbers of setrlimit(2).
    """

    user: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int
    home: str | None
    limits: Mapping[int, int]


def own_context_file(context: StandardContext) -> bool:
    """True when an application is described by its own META-INF/context.xml, and not by its operator."""
    file = context.config_file
    return file is not None and file.parts[-2:] == CONTEXT_XML.parts


def account_of(context: StandardContext) -> PoolAccount | None:
    """The account of an application's pool; None for one that runs as the server does.

    Raises:
        DeploymentError: there is no such account, or the server cannot become it.
    """
    name = context.user
    if name is None:
        return None
    where = f'{context}: user="{name}"'
    if own_context_file(context):
        raise DeploymentError(
            f"{where}: an application with META-INF/context.xml cannot have a user, as it could choose another one: "
            "describe it in xmlBase or server.xml, or set deployXML=false on its Host"
        )
    if context.privileged:
        raise DeploymentError(f"{where}: a privileged application works on the server, and runs as the server does")
    try:
        known = pwd.getpwnam(name)
        gid = known.pw_gid if context.group is None else grp.getgrnam(context.group).gr_gid
    except KeyError as error:
        raise DeploymentError(f"{where}: expected a user and a group of this machine, got {error.args[0]}") from None
    if known.pw_uid == 0:
        raise DeploymentError(f"{where}: expected a user without rights, got the superuser")
    groups = tuple(sorted({gid, *os.getgrouplist(name, known.pw_gid)}))
    if os.geteuid() != 0 and (known.pw_uid, gid) != (os.geteuid(), os.getegid()):
        raise DeploymentError(
            f"{where}: only a server that is started as root can run an application as another user; this one runs as "
            f"[{_name_of(os.geteuid())}]"
        )
    given = {limit: getattr(context, attribute) for attribute, limit in _LIMITS.items()}
    limits = {limit: value for limit, value in given.items() if value > 0} | {
        resource.RLIMIT_CORE: context.max_core_size
    }
    return PoolAccount(name, known.pw_uid, gid, groups, context.umask, context.home, limits)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def let_read(account: PoolAccount, trees: Iterable[Path], below: Path) -> None:
    """Let an account read what the server has made for its application: by the group, for the server's own files alone.

    Files of others, such as those of an operator who has laid a directory, stay as they are.

    Args:
        below: the server's directory; the way to a tree in it is opened, so that names in it can be followed and not
            listed.

    Raises:
        OSError: a file cannot be changed.
    """
    own = os.geteuid()
    for tree in trees:
        for parent in tree.parents:
            if parent.is_relative_to(below) and parent.stat().st_uid == own:
                _add_mode(parent, stat.S_IXOTH)
        for _, names, files, opened in os.fwalk(tree):
            _give(".", opened, account.gid, own)
            for name in (*names, *files):
                _give(name, opened, account.gid, own)


def _add_mode(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | bits != mode:
        path.chmod(mode | bits)


def _give(name: str, opened: int, gid: int, own: int) -> None:
    status = os.stat(name, dir_fd=opened, follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    is_file = stat.S_ISREG(status.st_mode)
    if status.st_uid != own or not (is_file or stat.S_ISDIR(status.st_mode)) or mode & stat.S_IROTH:
        return
    if is_file and status.st_nlink > 1:
        return  # it has another name, somewhere else
    wanted = mode & ~stat.S_IWGRP | stat.S_IRGRP | (stat.S_IXGRP if mode & stat.S_IXUSR else 0)
    if mode != wanted:
        os.chmod(name, wanted, dir_fd=opened)
    if status.st_gid != gid:
        os.chown(name, -1, gid, dir_fd=opened, follow_symlinks=False)


#: Run as the user: prints each path of the first list that cannot be read, and of the second that can.
_LOOK = """
import json, os, sys
needed, secret = json.load(sys.stdin)
for path in needed:
    if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
        print(f"cannot read [{path}]")
for path in secret:
    if os.access(path, os.R_OK):
        print(f"can read [{path}]")
"""


def check_access(account: PoolAccount, needed: Iterable[Path], secret: Iterable[Path]) -> None:
    """Look, as the user, at files.

    Args:
        needed: what its processes have to read.
        secret: what they must not.

    Raises:
        DeploymentError: the file modes are not so; the text says which, and the cure.
    """
    status = Path("/proc/self/status").read_text()
    mask = next(int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask:"))
    if mask & 0o007 != 0o007:
        raise DeploymentError(
            f"user [{account.user}]: the server's umask is [{mask:04o}], so others can read what it writes: start it "
            "with UMASK=0027"
        )
    lists = json.dumps([list(map(str, paths)) for paths in (needed, secret)])
    is_root = os.geteuid() == 0
    try:
        looked = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LOOK], input=lists, capture_output=True, text=True, timeout=60,
            cwd="/", env={}, check=False, user=account.uid if is_root else None, group=account.gid if is_root else None,
            extra_groups=account.groups if is_root else None,
        )  # fmt: skip
    except OSError as error:
        raise DeploymentError(f"user [{account.user}] cannot run [{sys.executable}]: {error.strerror}") from error
    lines = looked.stdout.splitlines() or (
        [f"cannot look: {looked.stderr.strip()[-500:]}"] if looked.returncode else []
    )
    if lines:
        more = f", and {len(lines) - 3} more" if len(lines) > 3 else ""
        raise DeploymentError(
            f"user [{account.user}] {'; '.join(lines[:3])}{more}: expected that it can read its application and the "
            "server's program (chmod o+x on the way), and no other configuration (chmod 750 conf)"
        )
