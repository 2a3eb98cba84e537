"""Packages that only some configurations need: which extra of the distribution brings them.

``pip install 'catalina[sql]'`` installs an extra, and so does ``bin/startup.sh`` with ``CATALINA_EXTRAS="sql"``. One
text for all that lack one, at ``configtest`` and at the start.
"""

from __future__ import annotations

import importlib.util

__all__ = ["EXTRAS", "is_installed", "missing_package"]

#: Package -> the extra of pyproject.toml that brings it.
EXTRAS = {
    "cryptography": "crypto",
    "sqlalchemy": "sql",
    "psycopg": "sql",
    "ldap3": "ldap",
    "hpack": "http2",
    "brotli": "compression",
    "zstandard": "compression",
}
#: Module -> what pip calls its distribution, where the two differ.
_DISTRIBUTIONS = {"MySQLdb": "mysqlclient", "mysql": "mysql-connector-python", "jks": "pyjks"}


def is_installed(package: str) -> bool:
    """Whether the top-level package can be imported."""
    try:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def missing_package(package: str) -> str:
    """What to do about a package that is not installed; empty when it is."""
    if is_installed(package):
        return ""
    top = package.partition(".")[0]
    extra = EXTRAS.get(top)
    if extra is None:
        return (
            f"the package {_DISTRIBUTIONS.get(top, top)} is not installed; no extra has it,"
            f" install it into the server's environment: python -m pip install {_DISTRIBUTIONS.get(top, top)}"
        )
    return (
        f'the package {top} is not installed; it comes with the extra {extra}: start with CATALINA_EXTRAS="{extra}",'
        f" or python -m pip install 'catalina[{extra}]'"
    )
