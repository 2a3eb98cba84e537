"""Names whose values are not shown: in logs, in configtest, in beans. These travel further than the files they come
from."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "looks_secret", "shown"]

#: What is shown instead.
HIDDEN = "***"

_SECRET = re.compile(
    r"pass(?!age|ive|through)|secret|token|credential|private|encryptionkey|psk_?key|api_?key|access_?key",
    re.IGNORECASE,
)
#: Inside of a value: a password in a URL's query or in front of its host, one in a list of properties.
_INSIDE = re.compile(r"((?:password|passwd|pwd)=)[^&;\s]+|(//[^/@:\s]+:)[^/@\s]+(?=@)", re.IGNORECASE)
#: Names that are secret as a whole: the key of DigestAuthenticator's nonces.
_WHOLE = frozenset({"key"})
#: Names that contain such a word and say nothing secret.
_HARMLESS = frozenset({"secretRequired", "secret_required", "pathname", "bypass"})


def looks_secret(name: str) -> bool:
    """Whether the value of an attribute, property or environment variable of that name should stay hidden."""
    if name in _HARMLESS or name.endswith(("Handler", "Handlers")):
        return False
    return name in _WHOLE or _SECRET.search(name) is not None


def shown(name: str, value: str) -> str:
    """A value as it may be shown: hidden as a whole by its name, or without the passwords inside of it."""
    if value and looks_secret(name):
        return HIDDEN
    return _INSIDE.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", value)
