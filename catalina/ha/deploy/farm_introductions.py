"""Brings new members up to date: Python nodes say what they lack, Java nodes are sent what they cannot have.

A node that knows of farmed files offers them to each member that appears, be it new or back after a cut. A Python node
answers with the files that it wants. A Java node does not answer; it gets the files that failed to reach it before, and
all files when it has just started.

A node also offers its files to a member that says hello, because it has just begun to listen. The offer names the files
that were removed, too. So a node that joins later, or comes back after a cut, gets what it missed.

A node that has tried a file says so to the node that has sent it (a trial), and that one tells all members when the
farm goes back to the version before (a return).

The form of a message, which has the BYTE_MESSAGE bit and is ignored by a Java node, is ``catalina-farm/1 hello``, ``...
offer``, ``... want``, ``... trial`` or ``... return``, a line feed, and JSON (nothing for hello).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.errors import DeploymentError, ProtocolError
from catalina.ha.deploy.farm_sender import FarmSender
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.ha.surroundings import PROCESS
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from catalina.tribes.member import Member

__all__ = [
    "FarmHello",
    "FarmIntroductions",
    "FarmOffer",
    "FarmReturn",
    "FarmTrial",
    "FarmWant",
    "decode_farm_message",
]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Milliseconds after the start of a Java node in which it counts as having nothing of the farm.
FRESH_MS = 60_000
#: Seconds within which a Python node answers; it may still be starting its applications.
ANSWER_SECONDS = 60.0
#: Seconds after which this node asks again for a file that is not arriving: its transfer may have failed.
ASK_AGAIN_SECONDS = 10.0
_MAGIC = b"catalina-farm/1 "
_MAX_BYTES = 2**20
_MAX_ITEMS = 10_000
#: Characters of a reason that are sent.
MAX_REASON = 2000


class FarmIntroductions:
    """Listens for members and for messages. The channel's thread calls its methods, and they never wait.

    Args:
        sender: sends the files that members want.
        state: the files and removals to offer.
        lacks: tells whether this node lacks an offered file; called by ``later``.
        removed: carries out a removal.
        tried: hears what a member says about a file that it was sent; called by ``later``.
        later: runs a function in a thread that may wait.
        monotonic: the clock.
    """

    def __init__(
        self,
        sender: FarmSender,
        state: FarmState,
        lacks: Callable[[FarmFile], bool],
        removed: Callable[[Removal], None],
        tried: Callable[[FarmTrial, Member], None],
        later: Callable[[Callable[[], object]], None],
        monotonic: Callable[[], float] = PROCESS.monotonic,
    ) -> None:
        self._sender = sender
        self._state = state
        self._lacks = lacks
        self._removed = removed
        self._tried = tried
        self._later = later
        self._monotonic = monotonic
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
            self._unanswered[member] = self._monotonic()
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
        elif isinstance(content, FarmTrial):
            self._later(lambda: self._tried(content, sender))
        elif isinstance(content, FarmReturn):
            log.error("[%s]: %s", content.name, content.why)
        elif isinstance(content, FarmWant):
            self._unanswered.pop(sender, None)
            self._sender.heard_of_removals(sender)
            for file in self._state.files:
                if file.name in content.names:
                    self._sender.submit_file(file, [sender])

    def _answer(self, offer: FarmOffer, sender: Member) -> None:
        for removal in offer.removals:
            self._removed(removal)
        now = self._monotonic()
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
        now = self._monotonic()
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


@dataclass(frozen=True, slots=True)
class FarmHello:
    """A node has begun to listen and asks for an offer."""

    def encode(self) -> bytes:
        """The message's bytes."""
        return _MAGIC + b"hello\n"


@dataclass(frozen=True, slots=True)
class FarmOffer:
    """The farm's files and removals, as far as one node knows them."""

    files: tuple[FarmFile, ...]
    removals: tuple[Removal, ...]

    def encode(self) -> bytes:
        """The message's bytes."""
        files = [_told(each) for each in self.files]
        removals = [[each.context, each.stamp_ms] for each in self.removals]
        return _MAGIC + b"offer\n" + json.dumps({"files": files, "removals": removals}).encode()


@dataclass(frozen=True, slots=True)
class FarmWant:
    """Names of offered files that the answering node lacks. An answer without names is an answer, too."""

    names: tuple[str, ...]

    def encode(self) -> bytes:
        """The message's bytes."""
        return _MAGIC + b"want\n" + json.dumps(self.names).encode()


@dataclass(frozen=True, slots=True)
class FarmTrial:
    """A node has tried a file that it was sent. Without a reason it runs, or need not run; else it does not start."""

    file: FarmFile
    why: str

    def encode(self) -> bytes:
        """The message's bytes."""
        return _MAGIC + b"trial\n" + json.dumps([_told(self.file), self.why[:MAX_REASON]]).encode()


@dataclass(frozen=True, slots=True)
class FarmReturn:
    """The farm goes back to the version before one: for the logs. The version itself is sent as any other."""

    name: str
    why: str

    def encode(self) -> bytes:
        """The message's bytes."""
        return _MAGIC + b"return\n" + json.dumps([self.name, self.why[:MAX_REASON]]).encode()


def decode_farm_message(data: bytes) -> FarmHello | FarmOffer | FarmWant | FarmTrial | FarmReturn | None:
    """Read a message; None for a message of another kind.

    Raises:
        ProtocolError: the message is one of these, but broken.
    """
    if not data.startswith(_MAGIC):
        return None
    kind, _, body = data[len(_MAGIC) :].partition(b"\n")
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError(f"{len(data)} bytes, limit {_MAX_BYTES}")
        if kind == b"hello":
            return FarmHello()
        content = json.loads(body)
        if kind == b"want":
            return FarmWant(tuple(_text(name) for name in _list(content)))
        if kind == b"offer":
            return FarmOffer(
                tuple(map(_file, _list(content["files"]))), tuple(map(_removal, _list(content["removals"])))
            )
        if kind == b"trial":
            file, why = _list(content)
            return FarmTrial(_file(file), _reason(why))
        if kind == b"return":
            name, why = _list(content)
            return FarmReturn(checked_name(_text(name), "file name", "return"), _reason(why))
    except (ValueError, KeyError, TypeError, RecursionError, DeploymentError) as exc:
        raise ProtocolError(f"farm message {data[:40]!r} cannot be read: {exc}") from exc
    raise ProtocolError(f"farm message of kind {kind[:20]!r}, expected hello, offer, want, trial or return")


def _told(file: FarmFile) -> list[object]:
    return [file.name, file.context, file.size, file.sha256.hex(), file.stamp_ms]


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        raise ValueError("expected a list of a bounded length")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def _reason(value: object) -> str:
    """A reason as one line of a log."""
    text = _text(value)
    if len(text) > MAX_REASON:
        raise ValueError(f"a reason of {len(text)} characters, limit {MAX_REASON}")
    return " ".join(text.split())


def _context(value: object) -> str:
    path, _, version = _text(value).partition("##")
    return ContextName(path, version).name


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"expected a number, got {value!r}")
    return value


def _file(value: object) -> FarmFile:
    name, context, size, digest, stamp = _list(value)
    checked_name(_text(name), "file name", "offer")
    return FarmFile(_text(name), _context(context), _number(size), bytes.fromhex(_text(digest)), _number(stamp))


def _removal(value: object) -> Removal:
    context, stamp = _list(value)
    return Removal(_context(context), _number(stamp))
