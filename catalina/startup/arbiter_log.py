"""gunicorn's logger, as a logger of the server."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["ArbiterLog"]


class ArbiterLog:
    """The arbiter logs through this. gunicorn's own messages are only details, because operators expect Tomcat's lines.

    Args:
        cfg: gunicorn's configuration, which is not used.
    """

    def __init__(self, cfg: object) -> None:
        self.cfg = cfg
        self._log = logging.getLogger("org.apache.catalina.startup.Arbiter")
        self.debug = self._log.debug
        self.info = self._log.debug
        self.warning = self._log.warning
        self.error = self._log.error
        self.critical = self._log.critical
        self.exception = self._log.exception

    def setup(self, cfg: object) -> None:
        """Take over a new configuration."""
        self.cfg = cfg

    def log(self, level: int, text: str, *args: Any, **kwargs: Any) -> None:
        """Log at a given level."""
        self._log.log(level, text, *args, **kwargs)

    def access(self, *args: Any) -> None:
        """Never called, because a valve writes the access log."""

    def reopen_files(self) -> None:
        """Nothing to do: the server's handlers rotate by themselves."""

    def close_on_exec(self) -> None:
        """Nothing to do: Python closes its descriptors on exec anyway."""
