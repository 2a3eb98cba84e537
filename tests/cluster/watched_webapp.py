"""The probe application with a listener that writes to the node's log which sessions have ended there."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.node import HERE

__all__ = ["end_of", "watched_webapp"]

_WATCH = """
class Watch:
    def session_destroyed(self, event):
        print("the application hears the end of", event.session.id, flush=True)
"""


def watched_webapp(directory: Path) -> Path:
    """Make it in ``directory``, for :class:`Node`."""
    shutil.copytree(HERE / "webapp", directory)
    (directory / "WEB-INF" / "classes" / "cluster_watch.py").write_text(_WATCH)
    web_xml = directory / "WEB-INF" / "web.xml"
    listener = "<listener><listener-class>cluster_watch:Watch</listener-class></listener>"
    web_xml.write_text(web_xml.read_text().replace("<distributable/>", f"<distributable/>{listener}"))
    return directory


def end_of(session_id: str | None) -> str:
    """The line that the log has when a session has ended."""
    return f"the application hears the end of {session_id}"
