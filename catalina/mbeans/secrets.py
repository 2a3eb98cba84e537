"""Names whose values are hidden in logs, in configtest and in beans, because these travel further than the files."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "looks_secret", "shown"]

#: The text in place of a hidden value.
HIDDEN = "***"

_SECRET = re.compile(
    r"pass(?!age|ive|through)|secret|token|credential|private|encryptionkey|psk_?key|api_?key|access_?key",
    re.IGNORECASE,
)
#: Secrets inside a value: a password in a URL's query or in front of its host, or in a list of properties.
_INSIDE = re.compile(r"((?:password|passwd|pwd)=)[^&;\s]+|(//[^/@:\s]+:)[^/@\s]+(?=@)", re.IGNORECASE)
#: Names that are secret as a whole: the key of DigestAuthenticator's nonces.
_WHOLE = frozenset({"key"})
#: Names that contain such a word but are not secret.
_HARMLESS = frozenset({"secretRequired", "secret_required", "pathname", "bypass"})


def looks_secret(name: str) -> bool:
    """True when the value of an attribute, property or environment variable with that name should stay hidden."""
    if name in _HARMLESS or name.endswith(("Handler", "Handlers")):
        return False
    return name in _WHOLE or _SECRET.search(name) is not None


def shown(name: str, value: str) -> str:
    """A value in a form that may be shown: hidden as a whole by its name, or without the passwords inside it."""
    if value and looks_secret(name):
        return HIDDEN
    return _INSIDE.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", value)
