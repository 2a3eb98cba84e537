"""Brings new members up to date: Python nodes say what they lack, Java nodes are sent what they cannot have.

A node that knows of farmed files offers them to each member that appears, be it new or back after a cut. A Python node
answers with the files that it wants. A Java node does not answer; it gets the files that failed to reach it before, and
all files when it has just started.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from catalina.errors import ProtocolError
from catalina.ha.deploy.farm_offer import FarmHello, FarmOffer, FarmWant, decode_farm_message
from catalina.ha.deploy.farm_sender import FarmSender
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage

if TYPE_CHECKING:
    from catalina.tribes.member import Member

__all__ = ["FarmIntroductions"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Milliseconds after the start of a Java node in which it counts as having nothing of the farm.
FRESH_MS = 60_000
#: Seconds within which a Python node answers; it may still be starting its applications.
ANSWER_SECONDS = 60.0
#: Seconds after which this node asks again for a file that is not arriving: its transfer may have failed.
ASK_AGAIN_SECONDS = 10.0


class FarmIntroductions:
    """Listens for members and for messages. The channel's thread calls its methods, and they never wait.

    Args:
        sender: sends the files that members want.
        state: the files and removals to offer.
        lacks: tells whether this node lacks an offered file; called by ``later``.
        removed: carries out a removal.
        later: runs a function in a thread that may wait.
    """

    def __init__(
        self,
        sender: FarmSender,
        state: FarmState,
        lacks: Callable[[FarmFile], bool],
        removed: Callable[[Removal], None],
        later: Callable[[Callable[[], object]], None],
    ) -> None:
        self._sender = sender
        self._state = state
        self._lacks = lacks
        self._removed = removed
        self._later = later
        self._unanswered: dict[Member, float] = {}
        self._asked: dict[Member, dict[FarmFile, float]] = {}

    def greet(self, members: Iterable[Member]) -> None:
        """Ask the members that are already here for their offers."""
        for member in members:
            self._sender.submit_bytes(FarmHello().encode(), member)

    def member_added(self, member: Member) -> None:
        """Offer the files that this node knows of."""
        files, removals = self._state.files, self._state.removals
        if files or removals:
            self._unanswered[member] = time.monotonic()
            self._sender.submit_bytes(FarmOffer(tuple(files), tuple(removals)).encode(), member)

    def member_disappeared(self, member: Member) -> None:
        """Stop waiting for the member; files that it was asked for will not come."""
        self._unanswered.pop(member, None)
        self._asked.pop(member, None)

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """True when the message is an offer or an answer to one."""
        if not message.options & SEND_OPTIONS_BYTE_MESSAGE:
            return False
        try:
            return decode_farm_message(message.data) is not None
        except ProtocolError as error:
            log.warning("%s: %s", sender.name, error)
            return False

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Answer an offer, or send wanted files."""
        content = decode_farm_message(message.data)
        if isinstance(content, FarmHello):
            self.member_added(sender)
        elif isinstance(content, FarmOffer):
            self._later(lambda: self._answer(content, sender))
        elif isinstance(content, FarmWant):
            self._unanswered.pop(sender, None)
            self._sender.heard_of_removals(sender)
            for file in self._state.files:
                if file.name in content.names:
                    self._sender.submit_file(file, [sender])

    def _answer(self, offer: FarmOffer, sender: Member) -> None:
        for removal in offer.removals:
            self._removed(removal)
        now = time.monotonic()
        asked = self._asked.setdefault(sender, {})
        due = [file for file in offer.files if now - asked.get(file, -ASK_AGAIN_SECONDS) >= ASK_AGAIN_SECONDS]
        wanted = [file for file in due if self._lacks(file)]
        asked.update(dict.fromkeys(wanted, now))
        self._sender.submit_bytes(FarmWant(tuple(file.name for file in wanted)).encode(), sender)

    def look(self, members: Iterable[Member]) -> None:
        """Handle members that have not answered, which are Java nodes, and members that have missed something.

        Args:
            members: the present members.
        """
        now = time.monotonic()
        for member in members:
            since = self._unanswered.get(member)
            if since is not None and now - since >= ANSWER_SECONDS:
                del self._unanswered[member]
                self._send_unasked(member)
            elif since is None and (self._sender.has_missed(member) or self._sender.has_missed_removals(member)):
                self.member_added(member)

    def _send_unasked(self, member: Member) -> None:
        missed, fresh = self._sender.has_missed(member), member.alive_ms < FRESH_MS
        for file in self._state.files:
            if file.name in missed or fresh:
                self._sender.submit_file(file, [member])
        for removal in self._sender.has_missed_removals(member):
            self._sender.submit_removal(removal, [member])
