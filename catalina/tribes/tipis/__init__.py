"""Maps that a group of nodes holds together.

``replicated_map`` keeps a copy on every node, ``lazy_replicated_map`` one primary and one backup.
``abstract_replicated_map`` is the interface of both to applications, and puts their parts together:

- the state: ``map_table`` (a pure machine, whose invariants stand at its top), ``map_entry`` (who owns an entry),
  ``map_stamp`` (which of two claims is later), ``map_names`` (a key that changes), ``map_graves`` (what was removed);
- the actions: ``map_claims``, ``map_receiving``, ``map_fetching``, ``map_settling`` (after a cut), ``map_presence``
  (who is there), ``map_round`` (the changes of one round together);
- the way out: ``map_link``, ``map_message``; ``map_values`` is what the map needs to know of its values.
"""
