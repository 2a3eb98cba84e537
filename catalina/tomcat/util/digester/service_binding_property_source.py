"""``${binding.key}`` from mounted service bindings (Tomcat: tomcat/util/digester/ServiceBindingPropertySource.java).

Kubernetes and buildpacks mount a service's credentials as files ``$SERVICE_BINDING_ROOT/<binding>/<key>``
(the Service Binding Specification); ``${chomp:binding.key}`` is the content without its last line end.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["ServiceBindingPropertySource"]

CHOMP = "chomp:"
#: The limit for a credential, which is short; it keeps a wrong mount from filling memory.
MAX_BYTES = 2**20


class ServiceBindingPropertySource:
    """Files below ``$SERVICE_BINDING_ROOT``; without the variable it knows nothing."""

    def get_property(self, name: str) -> str | None:
        """The content of the file, None when there is none or the name leads out of the directory."""
        root = os.environ.get("SERVICE_BINDING_ROOT")
        chomp = name.startswith(CHOMP)
        binding, dot, key = name.removeprefix(CHOMP).partition(".")
        if not root or not dot or not _is_file_name(binding) or not _is_file_name(key):
            return None
        text = _read(Path(root) / binding / key)
        return text.removesuffix("\n").removesuffix("\r") if chomp and text is not None else text


def _is_file_name(part: str) -> bool:
    return bool(part) and part not in (".", "..") and "/" not in part and "\0" not in part


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None  # as in Tomcat, a binding that is not mounted is an unknown name
