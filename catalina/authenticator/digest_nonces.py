"""Makes and recognises the nonces of DIGEST, and accepts each count of one once (Tomcat: DigestAuthenticator.java)."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from catalina.node_state import NodeState
from catalina.realm.constant_time import equal_text
from catalina.realm.message_digest import digest

__all__ = ["NonceCheck", "Nonces", "SeenCounts"]

log = logging.getLogger("org.apache.catalina.authenticator.DigestAuthenticator")

#: Nanoseconds for which the warning about a full cache is not repeated.
SUPPRESS_WARNING_NS = 300 * 10**9


class NonceCheck(Enum):
    """The judgement about an answer to a nonce."""

    VALID = 0
    #: The nonce is ours, but too old or forgotten: the client is asked again, without troubling the user.
    STALE = 1
    INVALID = 2


class _Counts:
    """The counts (``nc``) of a nonce that were seen; they may come out of order within a window."""

    def __init__(self, made_ns: int, window: int) -> None:
        self.made_ns = made_ns
        self._seen = [False] * max(1, window)
        self._count = 0

    def accept(self, nonce_count: int) -> bool:
        window = len(self._seen)
        offset = window // 2
        if nonce_count <= self._count - offset or nonce_count > self._count - offset + window:
            return False
        index = (nonce_count + offset) % window
        if self._seen[index]:
            return False
        self._seen[index] = True
        self._count += 1
        self._seen[self._count % window] = False
        return True


class SeenCounts(NodeState):
    """The nonces that were given out, with the counts that came with each. Any thread."""

    shared = frozenset({"accept", "add"})

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Counts] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, nonce: str, made_ns: int, window: int, size: int) -> int | None:
        """A nonce is given out; the time of the last one that was forgotten to keep only ``size`` of them."""
        forgotten = None
        with self._lock:
            self._counts[nonce] = _Counts(made_ns, window)
            while len(self._counts) > size:
                forgotten = self._counts.popitem(last=False)[1].made_ns
        return forgotten

    def accept(self, nonce: str, nonce_count: int, is_old: bool) -> bool | None:
        """True for the first answer with a count; None when the nonce is not known, or too old."""
        with self._lock:
            if is_old:
                self._counts.pop(nonce, None)
            counts = self._counts.get(nonce)
            return None if counts is None else counts.accept(nonce_count)


class Nonces:
    """The nonces of one authenticator. Any thread.

    A nonce is ``time:SHA-256(address:time:key)``, so even a forgotten one is recognised as ours.

    Args:
        counts: those of the node.
    """

    def __init__(
        self,
        key: str,
        validity_ms: int,
        cache_size: int,
        window: int,
        clock: Callable[[], int] = time.monotonic_ns,
        counts: SeenCounts | None = None,
    ) -> None:
        self.key = key
        self.validity_ns = validity_ms * 1_000_000
        self.cache_size = cache_size
        self.window = window
        self.clock = clock
        self._counts = SeenCounts() if counts is None else counts
        self._lock = threading.Lock()
        self._last_ns = 0
        self._warned_ns: int | None = None

    def make(self, address: str) -> str:
        """A new nonce for a client; no two are equal."""
        with self._lock:
            self._last_ns = now = max(self.clock(), self._last_ns + 1)
        nonce = f"{now}:{self._signature(address, now)}"
        forgotten_ns = self._counts.add(nonce, now, self.window, max(1, self.cache_size))
        if forgotten_ns is not None:
            self._warn(now, forgotten_ns)
        return nonce

    def check(self, address: str, nonce: str, nonce_count: int) -> NonceCheck:
        """Judge an answer: it must be the first with this count, and the nonce must be ours and young enough."""
        made, _, signature = nonce.partition(":")
        if not made.isdecimal() or len(made) > 19 or not signature:
            return NonceCheck.INVALID
        if not equal_text(self._signature(address, int(made)), signature, ignore_case=True):
            return NonceCheck.INVALID
        accepted = self._counts.accept(nonce, nonce_count, self.clock() - int(made) > self.validity_ns)
        if accepted is None:
            return NonceCheck.STALE
        return NonceCheck.VALID if accepted else NonceCheck.INVALID

    def _signature(self, address: str, made_ns: int) -> str:
        return digest("sha256", f"{address}:{made_ns}:{self.key}".encode("latin-1", "replace")).hex()

    def _warn(self, now: int, forgotten_ns: int) -> None:
        quiet = self._warned_ns is not None and now - self._warned_ns < SUPPRESS_WARNING_NS
        if not quiet and now - forgotten_ns < self.validity_ns:
            self._warned_ns = now
            log.warning(
                "A valid entry has been removed from client nonce cache to make room for new entries. To prevent the"
                " possibility of replay attacks, reduce nonceValidity or increase nonceCacheSize. Further warnings of"
                " this type will be suppressed for 5 minutes."
            )
