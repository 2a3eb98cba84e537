"""Finds the members of the group: heartbeats by multicast, fixed lists, name servers."""
