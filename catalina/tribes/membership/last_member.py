"""Remembers on disk the member that the previous process was.

Java keeps a crashed member as long as something answers at its address, and sends everything there twice. So the
process that starts at the address sends a farewell in the name of the previous one.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from catalina.errors import ProtocolError
from catalina.tribes.member import MAX_RECORD, Member

__all__ = ["LastMember"]

log = logging.getLogger("org.apache.catalina.tribes.membership.McastServiceImpl")


class LastMember:
    """One file with the record of the member that uses a port.

    Args:
        directory: the directory of the file; made when it does not exist.
        port: the receiver's port; two processes cannot use the same.
    """

    def __init__(self, directory: str, port: int) -> None:
        self.path = Path(directory) / f"tribes-member-{port}"

    def load(self) -> Member | None:
        """The member of the previous process, None when that one left in order. A damaged file is reported and
        ignored.
        """
        try:
            with self.path.open("rb") as file:
                return Member.decode(file.read(MAX_RECORD + 1))
        except FileNotFoundError:
            return None
        except (OSError, ProtocolError) as exc:
            log.warning("%s: cannot tell the members that the last process is gone: %s", self.path, exc)
            return None

    def store(self, member: Member) -> None:
        """Remember ``member``. A failure is reported and does not stop the service."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(self.path.name + ".new")
            draft.write_bytes(member.encode())
            os.replace(draft, self.path)
        except OSError as exc:
            log.warning("%s: cannot remember the local member: %s", self.path, exc)

    def forget(self) -> None:
        """Forget the member, which leaves in order."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as exc:
            log.warning("%s: cannot be removed: %s", self.path, exc)
