"""Maps that a group of nodes holds together.

``replicated_map`` keeps a copy on every node, ``lazy_replicated_map`` one primary and one backup.
``abstract_replicated_map`` is the interface of both to applications, and lists their parts. ``map_message`` has the
messages between the nodes.
"""
