"""The ``catalina`` command's verbs that ask the running node (:data:`VERBS`); shows their progress."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from catalina.errors import CatalinaError
from catalina.startup import manager_client, top
from catalina.startup.control_socket import bound_address, socket_path
from catalina.startup.doctor import told
from catalina.startup.finding import Finding
from catalina.startup.progress_bar import ProgressBar

__all__ = ["USAGE", "VERBS", "ask", "main"]

VERBS = ("deploy", "undeploy", "list", "reload", "drain", "undrain", "status", "sessions", "top", "doctor")

Progress = Callable[[str, int, int], None]

#: Directories of a project that do not belong to the running application.
NOT_PACKED = frozenset({".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache", ".pytest_cache"})

USAGE = """\
  deploy FILE|DIR   run a wheel, war or zip, or a directory as NAME.zip, on the running node; --farm: on all nodes
  undeploy PATH     stop an application (/shop, /shop##1.4.0) and delete its files; --farm: on all nodes of its farm
  list              the applications of the running node
                    deploy, undeploy, list, reload, sessions: --url URL [--user NAME] asks a manager application
  reload PATH       stop and start an application
  drain [--wait [N]]  say DOWN to health checks, end connections; wait up to N (60) seconds until nothing is under way
  undrain           serve as before
  status [--json]   how the node is: connectors, applications, members
  sessions [PATH]   where the sessions of each application are; those of one application
  top [-d N]        the same as a live view: rates, response times, members, slow requests
  doctor [--json]   examines the node, its machine and its group; exit code 1: warnings, 2: errors
                    (also: cluster doctor)"""


def main(verb: str, words: Sequence[str], base: Path) -> int:
    """Run a verb against the node of ``base``; returns the exit code."""
    options = _parser(verb).parse_args(list(words))
    request = {"verb": verb, **{name: value for name, value in vars(options).items() if value is not None}}
    path = socket_path(base)
    file = None
    url, user = request.pop("url", None), request.pop("user", None)
    if verb == "deploy":
        try:
            request["file"], file = _archive(Path(options.file))
        except OSError as exc:
            print(f"catalina: {options.file}: {exc.strerror or exc}", file=sys.stderr)
            return 1
    try:
        if verb == "top":
            return top.main(lambda: json.loads(ask(path, {"verb": verb})["lines"][0]), options.delay, options.frames)
        if url:
            return manager_client.main(url, user, request, file)
        return _ask(path, request, file)
    except OSError as exc:
        text = f"no node answers on {path}: {exc.strerror or exc}"
        if verb == "doctor":
            lines, code = told([Finding("node", "error", text, "catalina configtest, catalina start")], options.json)
            print("\n".join(lines))
            return code
        print(f"catalina: {text}", file=sys.stderr)
        return 1
    except CatalinaError as error:
        print(f"catalina: {error}", file=sys.stderr)
        return 1
    finally:
        if file is not None:
            file.close()


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"catalina {verb}")
    parser.add_argument("--host", help="name of the Host; the default host if not given")
    if verb == "deploy":
        parser.add_argument("--farm", action="store_true", help="on all nodes of the farm")
        parser.add_argument("file", metavar="FILE", help="a wheel, war or zip, or a directory")
    elif verb == "drain":
        parser.add_argument("--wait", nargs="?", type=float, const=60.0, metavar="SECONDS",
                            help="until nothing is under way")  # fmt: skip
    elif verb in ("status", "doctor"):
        parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
    elif verb == "sessions":
        parser.add_argument("--ids", action="store_true", help="whole ids; whoever has one has the session")
        parser.add_argument("name", metavar="PATH", nargs="?")
    elif verb == "top":
        parser.add_argument("-d", dest="delay", type=float, default=1.0, metavar="SECONDS", help="between two looks")
        parser.add_argument("-n", dest="frames", type=int, default=0, metavar="N", help="so many views, then end")
    elif verb not in ("list", "undrain"):
        if verb == "undeploy":
            parser.add_argument("--farm", action="store_true", help="on all nodes of the farm")
        parser.add_argument("name", metavar="PATH")
    if verb in manager_client.VERBS:
        parser.add_argument("--url", help="of a manager application, https://shop.example/manager, instead of the "
                            "node of this directory")  # fmt: skip
        parser.add_argument("--user", help="for --url; the password is $CATALINA_MANAGER_PASSWORD, or of ~/.netrc, or "
                            "asked for")  # fmt: skip
    return parser


def _archive(path: Path) -> tuple[str, IO[bytes]]:
    """The name and the open file of an archive; a directory is packed into an archive of its name.

    Raises:
        OSError: the file or a file of the directory cannot be read, or a link leads out of the directory.
    """
    if not path.is_dir():
        return path.name, path.open("rb")
    packed = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        _pack(path.resolve(), packed)
    except BaseException:
        packed.close()
        raise
    packed.seek(0)
    return f"{path.resolve().name}.zip", packed


def _pack(root: Path, sink: IO[bytes]) -> None:
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for directory, names, files in os.walk(root):
            names[:] = sorted(set(names) - NOT_PACKED)
            for name in sorted(files):
                source = Path(directory, name)
                if not source.resolve().is_relative_to(root):
                    raise OSError(f"the link {source} leads out of the directory")
                archive.write(source, source.relative_to(root))


def ask(
    path: Path, request: dict[str, Any], file: IO[bytes] | None = None, show: Progress | None = None
) -> dict[str, Any]:
    """Send a request to a node's socket; returns the answer: ``lines``, and perhaps an ``exit`` code.

    Args:
        path: the path of the socket (``socket_path``).
        request: the verb and its arguments.
        file: a file whose descriptor the node gets.
        show: called with the node's progress: the current step, the amount done, and the total.

    Raises:
        CatalinaError: the node refuses the request, or has gone away.
        OSError: no node answers.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        with bound_address(path) as address:
            sock.connect(address)
        socket.send_fds(sock, [json.dumps(request).encode() + b"\n"], [file.fileno()] if file is not None else [])
        with sock.makefile("rb") as answers:
            for line in answers:
                answer: dict[str, Any] = json.loads(line)
                if "error" in answer:
                    raise CatalinaError(answer["error"])
                if "lines" in answer:
                    return answer
                if show is not None:
                    show(*answer["progress"])
    raise CatalinaError("the node went away before it had answered")


def _ask(path: Path, request: dict[str, Any], file: IO[bytes] | None) -> int:
    bar = ProgressBar(sys.stderr)
    try:
        answer = ask(path, request, file, bar.show)
    finally:
        bar.clear()
    print("\n".join(answer["lines"]))
    return int(answer.get("exit", 0))
