"""Processes that ask the kernel for their name, their end and their rights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", f"from catalina.startup.process_control import *\nfrom pathlib import Path\n{code}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def test_a_process_has_the_name_that_it_was_given() -> None:
    done = run("name_process('catalina-w3')\nprint(Path('/proc/self/comm').read_text())")
    assert done.stdout.strip() == "catalina-w3"


def test_a_process_whose_parent_has_died_before_ends_at_once() -> None:
    done = run("die_with_parent(1)\nprint('goes on')")
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")


def test_a_process_whose_parent_lives_goes_on() -> None:
    assert run(f"die_with_parent({os.getpid()})\nprint('goes on')").stdout == "goes on\n"


def test_no_program_gets_more_rights_afterwards() -> None:
    done = run("forbid_new_rights()\nprint(Path('/proc/self/status').read_text())")
    assert "NoNewPrivs:\t1" in done.stdout
