"""Lets pip install an application's requirements into its own work directory; the container's environment stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from packaging.requirements import Requirement

from catalina.errors import DeploymentError

__all__ = ["install_dependencies"]

#: Seconds that pip may take; a deployment that waits for ever would block those behind it.
TIMEOUT = 600


def install_dependencies(file: str, requirements: Sequence[Requirement], target: str) -> None:
    """Replace the directory ``target`` with an installation of the requirements; it is complete or unchanged.

    Args:
        file: the archive, for messages.

    Raises:
        DeploymentError: pip fails; the text is its last line.
    """
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=".installing-", dir=parent)
    try:
        _run_pip(file, [str(requirement) for requirement in requirements], staging)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_pip(file: str, requirements: Sequence[str], target: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input"]
    # compiling on import is enough; compiling everything in advance takes longer than the download
    command += ["--no-compile", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, "--target", target, "--", *requirements],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT, check=False, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DeploymentError(f"{file}: pip has not installed {', '.join(requirements)} in {TIMEOUT} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no output"]
        raise DeploymentError(f"{file}: pip cannot install {', '.join(requirements)}: {errors[-1]}")
