"""``${NAME}`` from the environment (Tomcat: tomcat/util/digester/EnvironmentPropertySource.java)."""

from __future__ import annotations

import os

__all__ = ["EnvironmentPropertySource"]


class EnvironmentPropertySource:
    """Environment variables, at the time when the file is read."""

    def get_property(self, name: str) -> str | None:
        """The variable of that name, None when it is not set."""
        return os.environ.get(name)
