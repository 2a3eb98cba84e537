"""Who is in the group: heartbeats by multicast, fixed lists, name servers."""
