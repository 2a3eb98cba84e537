"""The channel and the stack of interceptors under it.

``group_channel`` is the channel; ``channel_interceptor`` the contract and base of a layer (``interceptors`` has them);
``channel_coordinator`` the lowest one, which joins receiver, sender and membership. ``rpc_channel`` and ``rpc_message``
are questions and answers; ``strangers`` keeps messages of those who are no members yet; ``absolute_order`` serves the
coordinators.
"""
