"""The messages in which Python nodes agree on the farm's files. A Java node sees bytes and ignores them.

A node that knows of files offers them to every member that appears, and to every member that says hello because it has
just begun to listen. The member asks for the files that it lacks, and learns which were removed. So a node that joins
later, or comes back after a cut, gets what it missed.

The form of a message, which has the BYTE_MESSAGE bit, is ``catalina-farm/1 hello``, ``... offer`` or ``... want``, a
line feed, and JSON (nothing for hello).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from catalina.errors import DeploymentError, ProtocolError
from catalina.ha.deploy.farm_state import Removal
from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

__all__ = ["FarmHello", "FarmOffer", "FarmWant", "decode_farm_message"]

_MAGIC = b"catalina-farm/1 "
_MAX_BYTES = 2**20
_MAX_ITEMS = 10_000


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
        files = [[each.name, each.context, each.size, each.sha256.hex(), each.stamp_ms] for each in self.files]
        removals = [[each.context, each.stamp_ms] for each in self.removals]
        return _MAGIC + b"offer\n" + json.dumps({"files": files, "removals": removals}).encode()


@dataclass(frozen=True, slots=True)
class FarmWant:
    """Names of offered files that the answering node lacks. An answer without names is an answer, too."""

    names: tuple[str, ...]

    def encode(self) -> bytes:
        """The message's bytes."""
        return _MAGIC + b"want\n" + json.dumps(self.names).encode()


def decode_farm_message(data: bytes) -> FarmHello | FarmOffer | FarmWant | None:
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
    except (ValueError, KeyError, TypeError, RecursionError, DeploymentError) as exc:
        raise ProtocolError(f"farm message {data[:40]!r} cannot be read: {exc}") from exc
    raise ProtocolError(f"farm message of kind {kind[:20]!r}, expected hello, offer or want")


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        raise ValueError("expected a list of a bounded length")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


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
