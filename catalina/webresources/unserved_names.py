"""Names that are never static content, in whatever application and by whatever servlet.

A directory with an application contains source code, settings, databases and files of tools, and no deployment
descriptor says which files those are. So these names do not exist for code that serves files; the application itself
can read them.
"""

from __future__ import annotations

import re

__all__ = ["is_protected", "is_unserved", "is_unserved_name"]

#: Never served, whatever servlet is mapped to them.
PROTECTED = ("/META-INF", "/WEB-INF")

#: RFC 8615: the place of files that prove certificates and describe sites.
WELL_KNOWN = ".well-known"

_BACKUPS = r"(?:~|\.(?:bak|orig|old|save|sav|swp|swo|tmp|rej|dist|gz|bz2|xz|br|zst|zip))*"
_UNSERVED = re.compile(
    rf"""
    \..* |
    __pycache__ | .*\.(?:egg-info|dist-info|egg-link) |
    .*\.(?:py|pyc|pyo|pyw|pyi|pyx|pxd){_BACKUPS} |
    .*\.(?:db|db3|sqlite|sqlite3)(?:-journal|-wal|-shm)?{_BACKUPS} |
    (?:pyproject\.toml|setup\.cfg|tox\.ini|pipfile|pipfile\.lock|poetry\.lock|uv\.lock){_BACKUPS} |
    requirements.*\.(?:txt|in){_BACKUPS}
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def is_unserved_name(name: str) -> bool:
    """True when one part of a path is such a name: ``wsgi.py``, ``.env``, ``db.sqlite3``, ``__pycache__`` ..."""
    return name != WELL_KNOWN and _UNSERVED.fullmatch(name) is not None


def is_unserved(path: str) -> bool:
    """True when a path of an application has such a part; everything in an unserved directory is unserved, too."""
    return any(is_unserved_name(part) for part in path.split("/") if part)


def is_protected(path: str) -> bool:
    """True for paths below WEB-INF and META-INF, in upper or lower case, because file systems may ignore the case."""
    upper = path.upper()
    return any(upper == name or upper.startswith(name + "/") for name in PROTECTED)
