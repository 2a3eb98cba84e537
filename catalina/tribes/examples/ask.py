"""RPC: one asks, the others answer, and the first answer may be enough."""

from __future__ import annotations

from catalina.tribes.channel import SEND_OPTIONS_USE_ACK
from catalina.tribes.examples.nodes import make_node, started
from catalina.tribes.group.rpc_channel import ALL_REPLY, FIRST_REPLY, RpcChannel
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from catalina.tribes.member import Member

__all__ = ["main"]


class Warehouse:
    """Answers how many there are of a thing."""

    def __init__(self, stock: dict[str, int]) -> None:
        self._stock = stock

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue:
        """Called in the loop's thread; values arrive encoded and are decoded only by who looks at them."""
        return encode_value(self._stock.get(decode_value(message), 0))

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """An answer that came when nobody waited any more."""
        print(f"{sender} answered late")


def main(mcast_port: int = 45566) -> tuple[int, int]:
    """Ask two warehouses; return the sum of all answers, and how many came when one was enough."""
    channels = [make_node(mcast_port) for _ in range(3)]
    stocks = [{}, {"pen": 3}, {"pen": 4}]
    rpcs = [RpcChannel(channel, b"stock", Warehouse(stock)) for channel, stock in zip(channels, stocks, strict=True)]
    with started(*channels):
        asker, question = channels[0], encode_value("pen")
        everybody = rpcs[0].send(asker.members, question, ALL_REPLY, SEND_OPTIONS_USE_ACK, timeout=5.0)
        somebody = rpcs[0].send(asker.members, question, FIRST_REPLY, SEND_OPTIONS_USE_ACK, timeout=5.0)
    return sum(decode_value(response.message) for response in everybody), len(somebody)


if __name__ == "__main__":
    print(main())
