"""Encrypts messages (Tomcat: interceptors/EncryptInterceptor.java)."""

from __future__ import annotations

import heapq
import itertools
import logging
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from catalina.attributes import Attribute, AttributeRefused
from catalina.errors import ChannelError, ConfigurationError, ProtocolError
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.byte_text import hex_key
from catalina.tribes.channel import SND_TX_SEQ, ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.group.interceptors.message_cipher import MessageCipher
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import seals_envelopes

__all__ = ["EncryptInterceptor", "ReplayWindow"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.EncryptInterceptor")

_TIMESTAMP = struct.Struct(">q")
_ENVELOPE = struct.Struct(">IiBB")  # options, port, lengths of the host and the id


class ReplayWindow:
    """Admits each message once, and only near the time at which it was made. It has no clock: the caller passes
    ``now_ms``.

    When more than ``max_messages`` nonces are remembered, the one with the oldest time is forgotten, and from then on
    no message of that time or an earlier one is admitted.

    Args:
        window_ms: the largest distance between the time of a message and now, in both directions.
        max_messages: nonces remembered.
        now_ms: epoch milliseconds.
    """

    def __init__(self, window_ms: int, max_messages: int, now_ms: int) -> None:
        self._window_ms = window_ms
        self._max_messages = max_messages
        self._floor_ms = now_ms - window_ms
        self._seen: set[bytes] = set()
        self._by_time: list[tuple[int, int, bytes]] = []
        self._count = itertools.count()

    def admit(self, nonce: bytes, timestamp_ms: int, now_ms: int) -> bool:
        """Remember a message; returns True if it is new and its time is near enough to now."""
        if not now_ms - self._window_ms <= timestamp_ms <= now_ms + self._window_ms:
            return False
        if timestamp_ms <= self._floor_ms or nonce in self._seen:
            return False
        self._seen.add(nonce)
        heapq.heappush(self._by_time, (timestamp_ms, next(self._count), nonce))
        while len(self._seen) > self._max_messages:
            oldest_ms, _, oldest = heapq.heappop(self._by_time)
            self._seen.discard(oldest)
            self._floor_ms = max(self._floor_ms, oldest_ms)
        return True


def _at_least_one(text: str) -> int:
    """Converter for the limits of the replay window."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise AttributeRefused("a whole number of at least 1")
    return int(text)


#: The number of senders whose messages that do not open are counted.
MAX_UNOPENED = 100


class EncryptInterceptor(ChannelInterceptorBase):
    """Encrypts every message with a key that all members share. A message that cannot be decrypted, or came before, is
    dropped.

    Put it above the TcpFailureDetector. It adds the initialisation vector, the time of the message, and padding or a
    tag. Options, ids and member records stay readable. Members of this software seal them, so that nobody can change
    them on the way; Java does not seal them. Clocks must agree within ``replay_window_time``. Members older than
    10.1.56, 9.0.119 and 11.0.23 send no time and cannot take part.

    As in Tomcat it is deprecated: TLS with a pre-shared key, ``<Channel secure="true">``, hides and seals all of that.
    """

    packages = ("cryptography",)
    keeps_strangers_out = True

    encryption_algorithm = Attribute(
        str,
        "AES/GCM/NoPadding",
        doc="Cipher, mode and padding in Java's names; the same on all members. AES/CBC/PKCS5Padding was the default "
        "before 10.1.58.",
    )
    encryption_key = Attribute(
        hex_key,
        b"",
        aliases=("encryptionKeyString",),
        doc="The key in hex: 16, 24 or 32 bytes for AES. Whoever has it reads everything.",
    )
    allow_insecure_algorithms = Attribute(
        bool,
        False,
        doc="Take encryptionAlgorithm with CBC, CFB or OFB, which do not notice a message that was changed on the way.",
    )
    require_sealed_envelope = Attribute(
        bool,
        False,
        doc="Take only messages whose sender, options and id are sealed too: for groups without Java members.",
    )
    provider_name = Attribute(str, "", inert="there is one provider of ciphers, OpenSSL")
    replay_window_time = Attribute(
        _at_least_one, 10_000, unit="ms", doc="How far the time of a message may be from the own clock, both ways."
    )
    replay_window_message_count = Attribute(
        _at_least_one, 8192, doc="Messages remembered within that time. Too few refuse messages that are only late."
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        #: Messages that were dropped since the start.
        self.refused_count = 0
        #: The number of dropped messages that this node's key does not open, by sender.
        self.unopened: dict[Member, int] = {}
        self._cipher: MessageCipher | None = None
        self._window: ReplayWindow | None = None
        self._repeated = RepeatedMessages(log, first=1, clock=lambda: self.channel.now())
        self._bound_options = ~0

    def start(self, level: int) -> None:
        """Check the place in the stack and make the cipher. Raises ChannelError when one of them is unsuitable."""
        layer = self.previous
        while layer is not None:
            if isinstance(layer, TcpFailureDetector):
                raise ChannelError(
                    "EncryptInterceptor must be upstream of TcpFailureDetector. Please re-order EncryptInterceptor to "
                    "be listed before TcpFailureDetector in your channel interceptor pipeline."
                )
            layer = layer.previous
        if level & SND_TX_SEQ:
            if not self.encryption_key:
                raise ChannelError("Encryption key is required")
            try:
                self._cipher = MessageCipher(
                    self.encryption_algorithm, self.encryption_key, self.allow_insecure_algorithms
                )
            except ConfigurationError as exc:
                raise ChannelError(f"Failed to initialize EncryptInterceptor: {exc}") from exc
            for remark in self.configuration_remarks():
                log.warning("%s", remark)
            self._bound_options = self._options_of_layers_above()
            self._window = ReplayWindow(self.replay_window_time, self.replay_window_message_count, self.clock_ms())
        super().start(level)

    def configuration_remarks(self) -> Iterator[str]:
        """A remark that this interceptor is deprecated; Java logs one at every start."""
        yield (
            "The EncryptInterceptor is deprecated. TLS with a pre-shared key protects more: set secure='true', "
            "pskIdentity and pskKey of the <Channel>, and securePort of its <Receiver>."
        )

    def stop(self, level: int) -> None:
        """Forget the cipher; no message passes until the next start."""
        super().stop(level)
        if level & SND_TX_SEQ:
            self._cipher = self._window = None

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send the message sealed, once for all members."""
        if self._cipher is None:
            raise ChannelError(f"{self} is not started")
        if message.timestamp_ms <= 0:
            message = replace(message, timestamp_ms=self.clock_ms())
        plain = _TIMESTAMP.pack(message.timestamp_ms) + message.data
        sealed = self._cipher.seal(plain, self._envelope(message))
        super().send_message(to, message.with_data(sealed), delivery)

    def _options_of_layers_above(self) -> int:
        """The option bits that arrive unchanged. Lower layers add their flags to messages, and do not remove them at
        the receiver.
        """
        mask, layer = 0xFFFFFFFF, self.next
        while layer is not None and layer.next is not None:
            mask &= ~layer.option_flag
            layer = layer.next
        return mask

    def _envelope(self, message: ChannelMessage) -> bytes:
        """The parts that travel with a message unencrypted: its sender's identity, its options, its id."""
        sender = message.address
        options = message.options & self._bound_options
        return _ENVELOPE.pack(options, sender.port, len(sender.host), len(message.unique_id)) + b"".join(
            (sender.host, sender.unique_id, message.unique_id)
        )

    def message_received(self, message: ChannelMessage) -> None:
        """Deliver a message that can be decrypted and is new.

        Raises:
            ProtocolError: the interceptor is not started.
        """
        cipher, window = self._cipher, self._window
        if cipher is None or window is None:
            raise ProtocolError(f"{self} is not started")
        try:
            plain = self._open(cipher, message)
            if len(plain) < _TIMESTAMP.size:
                raise ProtocolError("premature end-of-message")
            self._check_envelope(cipher, message, plain)
            (timestamp,) = _TIMESTAMP.unpack_from(plain)
            if not window.admit(message.data[: cipher.nonce_size], timestamp, self.clock_ms()):
                raise ProtocolError("replay attack detected")
        except ProtocolError as exc:
            self._refuse(message, exc)
            return
        super().message_received(message.with_data(plain[_TIMESTAMP.size :]))

    def _open(self, cipher: MessageCipher, message: ChannelMessage) -> bytes:
        try:
            return cipher.open(message.data)
        except ProtocolError:
            sender = message.address
            if sender in self.unopened or len(self.unopened) < MAX_UNOPENED:
                self.unopened[sender] = self.unopened.get(sender, 0) + 1
            raise

    def _check_envelope(self, cipher: MessageCipher, message: ChannelMessage, plain: bytes) -> None:
        """Refuse a message whose sender should have sealed the envelope, but has sealed none or another one.

        The group's own record of the sender decides if there is one, because the record in the message can be forged.
        """
        if cipher.is_bound(message.data, plain, self._envelope(message)):
            return
        known = self.get_member(message.address)
        if (
            self.require_sealed_envelope
            or seals_envelopes(message.address)
            or (known is not None and seals_envelopes(known))
        ):
            raise ProtocolError("sender, options or id are not those that were sealed")

    def _refuse(self, message: ChannelMessage, reason: ProtocolError) -> None:
        self.refused_count += 1
        self._repeated.log(
            logging.ERROR,
            "messages that do not open",
            "Failed to decrypt message: %s (from %s, %d refused so far)",
            reason,
            message.address,
            self.refused_count,
        )
