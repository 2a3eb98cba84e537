"""Packages that only some configurations need, and the extras of the distribution that bring them.

``pip install 'catalina[sql]'`` installs an extra, and so does ``bin/startup.sh`` with ``CATALINA_EXTRAS="sql"``. All
components that lack a package give the same advice, at ``configtest`` and at the start.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path

__all__ = [
    "DISTRIBUTIONS",
    "EXTRAS",
    "is_installed",
    "lacking_requirements",
    "main",
    "missing_package",
    "server_requirements",
]

#: Package -> the extra of pyproject.toml that brings it.
EXTRAS = {
    "cryptography": "crypto",
    "sqlalchemy": "sql",
    "psycopg": "sql",
    "ldap3": "ldap",
    "hpack": "http2",
    "brotli": "compression",
    "zstandard": "compression",
    "babel": "locales",
    "opentelemetry": "otel",
}
#: Module -> pip's name of its distribution, if that differs.
DISTRIBUTIONS = {
    "opentelemetry": "opentelemetry-exporter-otlp-proto-http",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "jks": "pyjks",
}


def is_installed(package: str) -> bool:
    """True when the top-level package can be imported."""
    try:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def missing_package(package: str) -> str:
    """The advice about a package that is not installed; empty when it is."""
    if is_installed(package):
        return ""
    top = package.partition(".")[0]
    extra = EXTRAS.get(top)
    if extra is None:
        return (
            f"the package {DISTRIBUTIONS.get(top, top)} is not installed; no extra has it,"
            f" install it into the server's environment: python -m pip install {DISTRIBUTIONS.get(top, top)}"
        )
    return (
        f'the package {top} is not installed; it comes with the extra {extra}: start with CATALINA_EXTRAS="{extra}",'
        f" or python -m pip install 'catalina[{extra}]'"
    )


def lacking_requirements(extras: Sequence[str]) -> list[str]:
    """Packages for pip to install for these extras, such as ``psycopg[binary]>=3.1``, without those that are
    installed.
    """
    packages = [package for package, extra in EXTRAS.items() if extra in extras and not is_installed(package)]
    try:
        declared = requires("catalina") or []
    except PackageNotFoundError:  # only the source tree, found by PYTHONPATH
        declared = []
    by_name = {re.split(r"[^\w-]", text, maxsplit=1)[0]: text.partition(";")[0].strip() for text in declared}
    names = [DISTRIBUTIONS.get(package, package) for package in packages]
    return [by_name.get(name, name) for name in names]


def server_requirements() -> list[str]:
    """Requirements of this software, to have it in another Python as it is in this one.

    A package in pure Python is wanted in the version that is here. A compiled one need not exist for another Python in
    that version, so any that this software allows will do. Packages of extras count if they are here.
    """
    wanted = []
    for text in _declared():
        requirement, _, marker = (part.strip() for part in text.partition(";"))
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        found = _found(name)
        if marker and (found is None or re.search(r"extra == .test", marker)):
            continue
        is_pure = found is not None and "Root-Is-Purelib: true" in (found.read_text("WHEEL") or "")
        named = re.match(r"[\w.-]+(\[.*?\])?", requirement)
        pinned = f"{named[0]}=={found.version}" if named is not None and found is not None else requirement
        wanted.append(pinned if is_pure else requirement)
    return sorted(set(wanted))


def _declared() -> Iterator[str]:
    try:
        yield from requires("catalina") or []
    except PackageNotFoundError:  # a source tree, found by PYTHONPATH
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
        yield from project["dependencies"]
        for extra, texts in project["optional-dependencies"].items():
            yield from (f'{text}; extra == "{extra}"' for text in texts)


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def main(words: Sequence[str] | None = None) -> int:
    """``python -m catalina.extras sql,crypto``: print the packages to install, one a line.

    Returns:
        0 when everything is installed, 1 when packages are missing, 2 when there is no such extra.
    """
    wanted = [name for word in (sys.argv[1:] if words is None else words) for name in word.split(",") if name]
    known = sorted(set(EXTRAS.values()))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"CATALINA_EXTRAS: there is no extra {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    lacking = lacking_requirements(wanted)
    print(*lacking, sep="\n", end="\n" if lacking else "")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
