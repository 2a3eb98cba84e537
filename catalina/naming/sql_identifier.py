"""Names of tables and columns that an operator writes and that become part of a statement."""

from __future__ import annotations

import re

__all__ = ["is_sql_identifier"]

#: With schema, quoted or not. They cannot be parameters of a statement.
_IDENTIFIER = re.compile(r'(?:[A-Za-z_][\w$#]*|"[^"]+"|`[^`]+`)(?:\.(?:[A-Za-z_][\w$#]*|"[^"]+"|`[^`]+`)){0,2}')


def is_sql_identifier(text: str) -> bool:
    """True when the text is the name of a table or column and nothing else."""
    return _IDENTIFIER.fullmatch(text) is not None
