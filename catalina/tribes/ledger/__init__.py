"""The ledger: the agreement of a group of nodes about records that each of them may change.

It is a pure machine: no socket, no thread, no clock, no lock. Events and times go in, commands come out. The invariants
stand at the top of ``ledger.py``; ARCHITECTURE.md explains the whole on one page.

- ``version``: a total order of all changes that every node computes alike.
- ``record``: one record: its fields with their versions, its ids, and how two copies are merged; ``version_table`` has
  its versions as bytes.
- ``graves``: which records have ended, for as long as somebody could say otherwise.
- ``ledger``: the table of records; what an event of this node or of another one does to it.
- ``commands``: what the ledger asks its carrier to do.
- ``reconciler``: how two nodes find the records that they have differently, at a cost that follows the difference.
- ``wire``: all that they say to each other, as bytes.
"""
