"""Maps that a group of nodes holds together.

``map_message`` what the nodes say, ``map_entry`` who owns an entry; ``map_base``, ``map_ownership``, ``map_receiving``
and ``abstract_replicated_map`` what both maps do, each on top of the one before; ``replicated_map`` a copy on every
node, ``lazy_replicated_map`` one primary and one backup.
"""
