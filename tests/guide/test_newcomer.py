"""A newcomer's run: a fresh clone, a machine with Python and a network, and only what the guide's first page says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cluster.node import PROJECT
from tests.guide.pages import GUIDE, blocks_of
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.waiting import wait_until

#: Not part of a clone.
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "__pycache__", "*.egg-info", "logs", "work", "temp", ".*_cache")


def commands() -> list[str]:
    (block,) = blocks_of(GUIDE / "README.md")
    return block.text.splitlines()


def test_it_takes_less_than_ten_commands() -> None:
    assert len(commands()) + 1 < 10  # with the clone


@pytest.mark.cluster
def test_from_a_fresh_clone_to_a_django_application_on_two_nodes_with_a_session_that_survives(tmp_path: Path) -> None:
    asked = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(tmp_path / "asked"),
        "django",
    ]
    found = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    if found.returncode:
        missing(f"no package index: {found.stderr[-300:]}")
    shutil.copytree(PROJECT, tmp_path / "catalina-for-python", ignore=LEFT_OUT)
    *before, run = commands()
    assert run == "catalina run . --cluster 2"
    port = free_port()
    script = "\n".join(["set -e", *before, f"exec {run} --port {port}"])
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        wait_until(lambda: served(tmp_path, process), "two nodes serve", 500)
        visit(port)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def served(directory: Path, process: subprocess.Popen[bytes]) -> bool:
    text = (directory / "out").read_text(errors="replace")
    assert process.poll() is None, text
    return "who served and who holds the backup" in text


def visit(port: int) -> None:
    """Two visits, the node that has served them is killed on the page, and a third one."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def ask(path: str, data: bytes | None = None) -> tuple[str, str]:
        with contextlib.closing(opener.open(f"http://localhost:{port}{path}", data, timeout=60)) as answer:
            return answer.read().decode(), answer.headers.get("X-Served-By", "")

    assert "visit 1" in ask("/")[0]
    page, first = ask("/")
    assert "visit 2" in page
    token = re.search('name="token" value="([^"]+)"', ask("/.catalina/")[0])
    assert token is not None
    ask(f"/.catalina/kill/{first}", f"token={token[1]}".encode())
    with contextlib.suppress(urllib.error.HTTPError):
        wait_until(lambda: "dead" in ask("/.catalina/")[0], "the node is dead", 60)
    page, second = ask("/")
    assert "visit 3" in page
    assert second != first
