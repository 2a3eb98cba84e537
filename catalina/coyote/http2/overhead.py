"""Counts frames that cost work and carry little against those that carry something.

As in Tomcat (Http2UpgradeHandler.java, updateOverheadCount), the longer a connection behaves well, the more it may
behave badly later. Rapid resets (CVE-2023-44487), floods of SETTINGS, PING, PRIORITY, of small CONTINUATION, DATA and
WINDOW_UPDATE end the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.coyote.http2.http2_protocol import Http2Protocol

__all__ = ["Overhead"]

#: The number by which a useful frame reduces the count.
REDUCTION = 20
#: Overhead frames with which a connection may begin.
FREE_FRAMES = 10


class Overhead:
    """One connection's count; above zero it is too much.

    Args:
        protocol: has the factors and thresholds.
    """

    def __init__(self, protocol: Http2Protocol) -> None:
        self._factor = protocol.overhead_count_factor
        self._reset_factor = max(0, protocol.overhead_reset_factor)
        self._continuation_threshold = protocol.overhead_continuation_threshold
        self._data_threshold = protocol.overhead_data_threshold
        self._window_threshold = protocol.overhead_window_update_threshold
        self.count = -FREE_FRAMES * self._factor
        # The average of two frames in a row counts, because clients' buffers now and then leave a small one behind.
        self._last_data = 2 * self._data_threshold
        self._last_increment = 2 * self._window_threshold

    @property
    def is_too_much(self) -> bool:
        return self.count > 0

    def useful(self) -> None:
        """A request, or DATA in either direction."""
        self.count -= REDUCTION

    def useless(self) -> None:
        """SETTINGS (each pair), PING, PRIORITY, unknown kinds, and streams beyond maxConcurrentStreams."""
        self.count += self._factor

    def reset(self) -> None:
        """A stream was reset by the client, or by us because of the client's frames."""
        self.count += self._reset_factor

    def continuation(self, size: int) -> None:
        """CONTINUATION that is not the last."""
        if size < self._continuation_threshold:
            self.count += self._continuation_threshold // max(1, size)

    def data(self, size: int) -> None:
        """DATA that is not the last of its stream."""
        average = (self._last_data >> 1) + (size >> 1)
        self._last_data = size
        if average < self._data_threshold:
            self.count += self._data_threshold // max(1, average)

    def window_update(self, increment: int, wanted: int | None) -> None:
        """WINDOW_UPDATE; ``wanted`` bytes wait on its stream, None for the connection.

        A client may release exactly the wanted bytes.
        """
        average = (self._last_increment >> 1) + (increment >> 1)
        self._last_increment = increment
        if average < self._window_threshold and (wanted is None or increment < wanted):
            self.count += self._window_threshold // max(1, average)
