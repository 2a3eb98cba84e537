"""TCP and UDP on the event loop.

In: ``nio_receiver`` accepts, ``nio_replication_task`` is one connection, ``receiver_limits`` what peers may leave
unfinished. Out: ``pooled_parallel_sender`` and ``parallel_nio_sender`` have the members' connections, ``nio_sender`` is
one of them, ``udp_sender`` datagrams. Both: ``tls_channel``. ``tcp_probe`` asks if a member is there.
"""
