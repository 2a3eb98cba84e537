"""Sends in the background (Tomcat: tribes/group/interceptors/MessageDispatchInterceptor.java)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from catalina.attributes import Attribute
from catalina.errors import ChannelError
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, ChannelMessage, Delivery, as_faults
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["MessageDispatchInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor")


class MessageDispatchInterceptor(ChannelInterceptorBase):
    """Queues messages with the asynchronous flag; for their sender they are then done.

    The event loop is the queue's only consumer, so messages to one member leave in the order in which they were sent;
    Tomcat's threads do not keep that order. The interceptor adds nothing to the wire.
    """

    option_flag = Attribute(
        int, SEND_OPTIONS_ASYNCHRONOUS, doc="The option bits of messages that are sent in the background."
    )
    always_send = Attribute(
        bool,
        True,
        doc="With a full queue the sender waits until its message has left; false refuses the message instead.",
    )
    max_queue_size = Attribute(
        int, 64 * 1024 * 1024, unit="bytes", doc="Bytes that may wait for all members together, counted by message."
    )
    max_threads = Attribute(int, 10, inert="the event loop sends, so there are no threads to count")
    max_spare_threads = Attribute(int, 2, inert="there are no sending threads")
    keep_alive_time = Attribute(int, 5000, unit="ms", inert="there are no sending threads")
    use_deep_clone = Attribute(bool, True, inert="messages are immutable here and need no copy")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._lock = threading.Lock()  # sending threads add to the count; only the runner subtracts
        self._entered = 0
        self._left = 0

    @property
    def current_size(self) -> int:
        """Bytes that wait or are on their way."""
        return self._entered - self._left

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Queue an asynchronous message; pass others on."""
        self.send_messages(to, (message,), delivery)

    def send_messages(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        """Queue several asynchronous messages; pass others on."""
        flag = self.option_flag
        if flag and messages[0].options & flag != flag:
            self._send_below(to, messages, delivery)
            return
        size = len(messages[0].data) if len(messages) == 1 else sum(len(message.data) for message in messages)
        with self._lock:
            fits = self._entered - self._left + size <= self.max_queue_size
            if fits:
                self._entered += size
        if not fits:
            self._go_the_direct_way(to, messages, delivery)
            return
        try:
            self._send_below(to, messages, _Background(self, len(to), size, delivery))
        except ChannelError:
            with self._lock:
                self._entered -= size
            raise
        delivery.finish()

    def _go_the_direct_way(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        if not self.always_send:
            raise ChannelError(
                f"Asynchronous queue is full, reached its limit of [{self.max_queue_size}] bytes, "
                f"current:[{self.current_size}] bytes."
            )
        self._send_below(to, messages, delivery)

    def left(self, done: Delivery, size: int) -> None:
        """Messages that were sent together have left or failed. Only in the runner."""
        self._left += size
        if done.faulty:
            error = ChannelError("Error while processing async message", as_faults(done.faulty))
            if done.handler is None:
                log.error("%s", error)
            else:
                done.handler.handle_error(error, done.unique_id)
        elif done.handler is not None:
            done.handler.handle_completion(done.unique_id)

    def start(self, level: int) -> None:
        """Enter the stack."""
        if self.option_flag != SEND_OPTIONS_ASYNCHRONOUS:
            log.warning(
                "Warning, you are overriding the asynchronous option flag, this will disable the "
                "Channel.SEND_OPTIONS_ASYNCHRONOUS that other apps might use."
            )
        self.settle_attributes()
        self._send_below = self.below_that_sends()
        super().start(level)


class _Background(Delivery):
    """The Delivery of messages whose sender does not wait: it reports to the interceptor."""

    __slots__ = ("_owner", "_size")

    def __init__(self, owner: MessageDispatchInterceptor, pending: int, size: int, waiting: Delivery) -> None:
        super().__init__(pending, waiting.unique_id, None, waiting.handler)
        self._owner = owner
        self._size = size

    def finish(self) -> None:
        """Tell the layers below that wait for the end, free the room in the queue, and call the handler."""
        if not self.done:
            super().finish()
            self._owner.left(self, self._size)
