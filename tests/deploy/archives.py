"""Archives made by tests: wheels and zips as real tools write them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HELLO = """\
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [{text!r}]
"""


def hello(text: str) -> str:
    """Source of a WSGI application that answers with a text."""
    return HELLO.replace("{text!r}", repr(text.encode()))


def make_zip(file: Path, files: Mapping[str, str | bytes]) -> Path:
    """A zip; it appears under its name only when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.parent.parent / f"{file.name}.partial"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    os.replace(partial, file)
    return file


def make_wheel(
    directory: Path,
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    entry_point: tuple[str, str] | None = None,
    distributable: bool = False,
    requires: Sequence[str] = (),
    requires_python: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """A wheel with its dist-info; ``entry_point`` is the entry's name and its target."""
    spelled = name.replace("-", "_")
    info = f"{spelled}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
    described: dict[str, str | bytes] = {
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
    }
    if entry_point is not None:
        group = "catalina.webapp.distributable" if distributable else "catalina.webapp"
        described[f"{info}/entry_points.txt"] = f"[{group}]\n{entry_point[0]} = {entry_point[1]}\n"
    return make_zip(directory / f"{spelled}-{version}-{tag}.whl", {**files, **described})
