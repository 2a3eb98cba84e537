"""Group communication that speaks Apache Tomcat's cluster protocol, usable without the container.

    from catalina.tribes.group.group_channel import GroupChannel

``member`` and ``channel`` have the values and contracts, ``group`` the channel and its interceptors. ``membership``
finds the members, ``transport`` moves bytes, ``io`` has the wire formats, ``tipis`` the replicated maps.
"""
