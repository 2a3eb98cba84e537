"""Layers of a channel, named as Tomcat names them. The first declared one is the uppermost.

- Members: ``tcp_failure_detector``, ``tcp_ping_interceptor``, ``static_membership_interceptor``,
  ``domain_filter_interceptor``.
- Bytes: ``fragmentation_interceptor``, ``gzip_interceptor``, ``encrypt_interceptor`` (``message_cipher``).
- Order and certainty: ``order_interceptor``, ``two_phase_commit_interceptor``, ``message_dispatch_interceptor``.
- A leader: ``non_blocking_coordinator``, ``simple_coordinator``. Counting: ``throughput_interceptor``.
"""
