"""Finds the members of the group: heartbeats by multicast, fixed lists, name servers (package ``cloud``).

``membership_service_base`` is the common part. Multicast: ``mcast_service``, ``mcast_service_impl``,
``multicast_socket``, ``farewells``, ``last_member``. Fixed lists: ``static_membership_service``,
``static_membership_provider``, ``static_member``. ``membership`` is the table of those who were heard.
"""
