"""Clusters in virtual time: many nodes in one process and one thread, everything from one seed.

Level 1 (``ledgers``) has ledgers alone. Level 2 (``managers``) has the real SimpleTcpCluster, DeltaManager or
BackupManager with its map, JvmRouteBinderValve and ReplicationValve:

Level 3 (``wires``) puts the real channel under level 2: interceptors, failure detector, sender and receiver, over
simulated sockets.

    world       virtual time; callbacks and threads as greenlets; reactor, events, clocks and random bytes of a process
    network     connections, acknowledgements, membership, and what can happen to them
    sockets     TCP as code sees it: pieces, full buffers, resets, half-open connections
    wires       the real channel on such sockets
    nodes       one life of a node, from its start to ``kill -9``, and requests through the valves
    clients     browsers, and what each answer must be
    promises    what clients were told, and what they may expect after it
    machines    the invariants of a ledger
    farm        a farm on every node, and its operator
    managers    plans made from seeds, and the run of a plan
    mutations   faults put into the product on purpose, which runs must find
    shrinking   leaves out of a plan what its failure does not need

``python -m tests.simulation --level 2 --seeds 1000 --start 0`` prints what it did, and each finding with its seed, its
commit and the shrunk schedule. ``--only SEED`` repeats one. A seed says the same on every machine, as long as nothing
in the simulation and in the code under it changes: so a seed that failed is kept in ``test_simulation.py``, and the
rule that was broken has a unit test of its own.

The code under test is not patched: it is handed a ``Surroundings`` (clocks, random bytes, threads, events) and a
channel whose reactor runs in virtual time. On level 2 the behaviour of a connection is simulated, not its bytes; TLS,
datagrams and Java peers are in none of them.
"""
