"""Names whose values are not shown: in logs, in configtest, in beans. These travel further than the files they come
from."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "looks_secret"]

#: What is shown instead.
HIDDEN = "***"

_SECRET = re.compile(
    r"pass(?!age|ive|through)|secret|token|credential|private|encryptionkey|api_?key|access_?key", re.IGNORECASE
)
#: Names that contain such a word and say nothing secret.
_HARMLESS = frozenset({"secretRequired", "secret_required", "requiredSecret", "pathname", "bypass"})


def looks_secret(name: str) -> bool:
    """Whether the value of an attribute, property or environment variable of that name should stay hidden."""
    return name not in _HARMLESS and not name.endswith(("Handler", "Handlers")) and _SECRET.search(name) is not None
