"""Wheels of installed packages, so that pip finds them without a network."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from pathlib import Path

__all__ = ["pack_wheels"]

#: Files that pip adds to a package when it installs it.
_OF_PIP = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")


def pack_wheels(site_packages: Path, names: Iterable[str], target: Path) -> list[str]:
    """Make a wheel of each installed package; the result has a line for a requirements file for each, with its hash."""
    target.mkdir(parents=True, exist_ok=True)
    return [_pack(site_packages, name, target) for name in names]


def _pack(site_packages: Path, name: str, target: Path) -> str:
    context = DistributionFinder.Context(name=name, path=[str(site_packages)])
    found = next(iter(MetadataPathFinder.find_distributions(context)))
    tag = (found.read_text("WHEEL") or "").partition("Tag: ")[2].split()[0]
    info = next(site_packages.glob(f"{name}-{found.version}.dist-info"))
    file = target / f"{name}-{found.version}-{tag}.whl"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(file, "w") as wheel:
        for path in _files(found):
            wheel.write(site_packages / path, path)
            rows.writerow([path, "", ""])
        rows.writerow([f"{info.name}/RECORD", "", ""])
        wheel.writestr(f"{info.name}/RECORD", record.getvalue())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{name}=={found.version} --hash=sha256:{digest}\n"


def _files(found: Distribution) -> list[str]:
    paths = [path for path in found.files or () if ".." not in path.parts and path.suffix != ".pyc"]
    return [str(path) for path in paths if not (path.parent.suffix == ".dist-info" and path.name in _OF_PIP)]
