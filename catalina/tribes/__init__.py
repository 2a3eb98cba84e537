"""Group communication that speaks Apache Tomcat's cluster protocol, usable without the container.

    from catalina.tribes.group.group_channel import GroupChannel

``member`` and ``channel`` hold the values and contracts; ``group`` the channel and its interceptors; ``membership``
who is there; ``transport`` how bytes travel; ``io`` the bytes themselves; ``tipis`` replicated maps.
"""
