"""The default transport."""

from __future__ import annotations

from catalina.tribes.transport.nio.pooled_parallel_sender import PooledParallelSender


def test_tomcats_attributes_are_known():
    sender = PooledParallelSender()
    assert sender.set_attribute("poolSize", "3")
    assert sender.set_attribute("maxWait", "100")
    assert (sender.pool_size, sender.max_wait) == (3, 100)
    assert (PooledParallelSender().pool_size, PooledParallelSender().max_wait) == (25, 3000)
