"""Checks names that become files, by one rule for all of them, wherever they come from.

Every name of an application, an archive, a fragment or a temporary file passes :func:`checked_name` before it is joined
to a directory: file names in appBase and watchDir, context paths, messages of the farm, a wheel's metadata, commands.
So a name can lead neither out of its directory nor to the directory itself.
"""

from __future__ import annotations

import unicodedata

from catalina.errors import DeploymentError

__all__ = ["MAX_NAME_BYTES", "RESERVED_PREFIX", "checked_name"]

#: Bytes of a name in UTF-8. A file system takes 255; suffixes, and the prefixes of work in progress, need room.
MAX_NAME_BYTES = 200
#: The prefix of work in progress and of files that were moved away; no other name may have it.
RESERVED_PREFIX = ".catalina-"

#: Controls (NUL and line feeds among them), lone surrogates, and the separators of lines and paragraphs.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def checked_name(name: str, what: str, source: str, limit: int = MAX_NAME_BYTES) -> str:
    """The unchanged name, if it may become a file or directory in a directory of the caller's choice.

    Args:
        name: a name from outside.
        what: the kind of name, for the error: ``archive``, ``context path``.
        source: its origin: a file, a member, a command.
        limit: bytes in UTF-8.

    Raises:
        DeploymentError: the name is empty, ``.`` or ``..``, too long, reserved, or has a separator, control
            character or lone surrogate in it.
    """
    fault = _fault(name, limit)
    if fault is not None:
        shown = name if len(name) <= 80 else name[:80] + "..."
        raise DeploymentError(f"{source}: refused: {what} {shown!r} {fault}")
    return name


def _fault(name: str, limit: int) -> str | None:
    if not name.strip():
        return "is empty"
    if name in (".", ".."):
        return "is a directory's own name or its parent's"
    if "/" in name or "\\" in name:
        return "has a separator"
    if not name.isascii() or not name.isprintable():
        found = next((char for char in name if unicodedata.category(char) in _REFUSED_CATEGORIES), None)
        if found is not None:
            return f"has the character U+{ord(found):04X}"
    if len(name.encode()) > limit:
        return f"has {len(name.encode())} bytes, limit {limit}"
    if name.startswith(RESERVED_PREFIX):
        return f"begins with {RESERVED_PREFIX}, which is for work in progress"
    return None
