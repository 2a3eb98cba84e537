"""The ``catalina`` command against a manager application over HTTP: ``--url``."""

from __future__ import annotations

import base64
import contextlib
import getpass
import ipaddress
import netrc
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, urlencode, urlsplit

from catalina.deploy.archive import read_archive
from catalina.errors import CatalinaError, DeploymentError
from catalina.startup.progress_bar import ProgressBar
from catalina.util.context_name import ContextName

__all__ = ["VERBS", "main"]

VERBS = ("deploy", "undeploy", "list", "reload", "sessions")
#: Seconds without data from the server; an application may take long to start.
TIMEOUT = 600.0
PASSWORD = "CATALINA_MANAGER_PASSWORD"  # noqa: S105  # the variable's name
#: Bytes of an answer that are shown.
MAX_ANSWER = 2**22

_WHY = {
    401: "the user or the password is wrong, or is locked out",
    403: "this user lacks the role manager-script, or this machine's address is not let in",
    404: "no manager application answers there",
}


def main(url: str, user: str | None, request: Mapping[str, Any], file: IO[bytes] | None) -> int:
    """Ask the manager at ``url``; returns the exit code.

    Args:
        request: ``verb`` and its arguments, as for the node's socket.
        file: the file that ``deploy`` sends.
    """
    try:
        where = _checked(url)
        if request.get("farm") or request.get("host"):
            raise CatalinaError("--farm and --host are for the node of this directory; the manager has its own host")
        headers = {"Authorization": _login(where, user)}
        command, method = _command(request, file)
        if file is None:
            return _ask(where, "GET", command, headers, None)
        if _ask(where, "GET", "serverinfo", headers, None, shown=False):
            return 1
        return _ask(where, method, command, headers, file)
    except CatalinaError as error:
        print(f"catalina: {error}", file=sys.stderr)
    except (OSError, HTTPException) as error:
        print(f"catalina: no manager answers on {url}: {error}", file=sys.stderr)
    return 1


def _checked(url: str) -> SplitResult:
    where = urlsplit(url.rstrip("/").removesuffix("/text"))
    if where.scheme not in ("http", "https") or not where.hostname:
        raise CatalinaError(f"{url!r} is no address of a manager: expected https://HOST:PORT/manager")
    if where.username or where.password:
        raise CatalinaError("a password in an address is seen by everybody on this machine: --user, and $" + PASSWORD)
    if where.scheme == "http" and not _is_here(where.hostname):
        raise CatalinaError(f"http:// sends the password to {where.hostname} unencrypted: https:// is needed")
    return where


def _is_here(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _login(where: SplitResult, user: str | None) -> str:
    """The Authorization header."""
    password = os.environ.get(PASSWORD)
    if password is None or user is None:
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            found = netrc.netrc().authenticators(where.hostname or "")
            if found is not None and user in (None, found[0]):
                user, password = found[0], found[2]
    if user is None:
        raise CatalinaError(f"--user is needed, or an entry for {where.hostname} in ~/.netrc")
    if password is None:
        if not sys.stdin.isatty():
            raise CatalinaError(f"no password for {user}: ${PASSWORD}, or an entry for {where.hostname} in ~/.netrc")
        password = getpass.getpass(f"Password of {user} on {where.hostname}: ")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _command(request: Mapping[str, Any], file: IO[bytes] | None) -> tuple[str, str]:
    """The manager's command with its parameters, and the HTTP method."""
    verb = str(request["verb"])
    if file is not None:
        name = _name_in(file, str(request["file"]))
        given = {"path": name.path or "/", "version": name.version, "fileName": request["file"], "update": "true"}
        return f"deploy?{urlencode({key: value for key, value in given.items() if value})}", "PUT"
    if not request.get("name"):
        if verb == "sessions":
            raise CatalinaError("sessions --url needs the PATH of an application")
        return verb, "GET"
    path, _, version = str(request["name"]).partition("##")
    name = ContextName.of_path(path, version)
    given = {"path": name.path or "/", "version": name.version}
    return f"{verb}?{urlencode({key: value for key, value in given.items() if value})}", "GET"


def _name_in(file: IO[bytes], file_name: str) -> ContextName:
    """The application of an archive, as the server will name it."""
    with tempfile.TemporaryDirectory(prefix="catalina-deploy-") as directory:
        copy = str(Path(directory, file_name))
        with open(copy, "wb") as sink:
            shutil.copyfileobj(file, sink)
        file.seek(0)
        try:
            return read_archive(copy).name
        except DeploymentError as error:
            raise DeploymentError(str(error).replace(copy, file_name)) from error


class _Watched:
    """A file that reports how much of it was read."""

    def __init__(self, file: IO[bytes], bar: ProgressBar) -> None:
        self._file, self._bar = file, bar
        self.size, self._done = os.fstat(file.fileno()).st_size, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        self._bar.show("sending" if self._done < self.size else "starting", self._done, self.size)
        return data


def _ask(
    where: SplitResult,
    method: str,
    command: str,
    headers: Mapping[str, str],
    file: IO[bytes] | None,
    shown: bool = True,
) -> int:
    """One request; 0 when the manager says OK."""
    bar = ProgressBar(sys.stderr)
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    with contextlib.closing(kind(where.hostname or "", where.port, timeout=TIMEOUT)) as connection:
        body = _Watched(file, bar) if file is not None else None
        more = {"Content-Length": str(body.size), "Content-Type": "application/octet-stream"} if body else {}
        connection.request(method, f"{where.path}/text/{command}", body, {**headers, **more})
        response = connection.getresponse()
        text = response.read(MAX_ANSWER).decode("utf-8", "replace")
    bar.clear()
    if response.status != 200:
        raise CatalinaError(f"{where.geturl()} answers {response.status} {_reason(response)}")
    if not text.startswith(("OK", "FAIL")):
        raise CatalinaError(f"{where.geturl()} is no manager application: it does not answer as one")
    good = text.startswith("OK")
    if shown or not good:
        print(text.rstrip(), file=sys.stdout if good else sys.stderr)
    return 0 if good else 1


def _reason(response: HTTPResponse) -> str:
    why = _WHY.get(response.status)
    return f"{response.reason}: {why}" if why else response.reason
