"""Maps that a group of nodes holds together.

``replicated_map`` has a copy on every node, ``lazy_replicated_map`` one primary and one backup;
``abstract_replicated_map`` is what both show to applications, and says which parts they have. ``map_message`` is what
the nodes say.
"""
