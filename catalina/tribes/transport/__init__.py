"""How messages travel: the receiver and the sender.

``replication_transmitter`` is the sending side, ``abstract_sender`` and ``receiver_base`` have the attributes;
``socket_options``, ``tribes_ssl_context`` (TLS with a pre-shared key). The rest is in ``nio``.
"""
