"""The default transport (Tomcat: tribes/transport/nio/PooledParallelSender.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.tribes.transport.nio.parallel_nio_sender import ParallelNioSender

__all__ = ["PooledParallelSender"]


class PooledParallelSender(ParallelNioSender):
    """The default transport. Tomcat pools connections because each carries one message at a time; here one per member
    is enough.
    """

    pool_size = Attribute(int, 25, inert="one connection per member carries any number of messages, in their order")
    max_wait = Attribute(int, 3000, unit="ms", inert="nobody waits for a free connection")
