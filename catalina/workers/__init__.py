"""A node of several processes: one keeper, and workers that run the applications.

The *keeper* is the member of the group. It has a copy of every session, deploys, and answers operators; it runs no code
of an application. A *worker* serves requests. It has the sessions that it serves, and loads one that it has not from
the keeper. All processes are children of one arbiter, which starts those that die again::

    arbiter --+-- keeper      the group (Java nodes too) <---> SimpleTcpCluster, DeltaManager, SessionCopies
              |                     ^ one Unix stream for each worker: frames (frames.py)
              +-- worker 0    KeeperChannel <---> WorkerCluster, WorkerManager <---> requests
              +-- worker 1    ...

- ``frames``: what the two say to each other, as bytes; no socket.
- ``link``: a stream of frames on the event loop. ``link_poll``: the keeper reads them together, in pauses under load.
- ``keeper_channel``, ``keeper_queries``: the worker's end. ``worker_links``: the keeper's end.
- ``worker_cluster``, ``worker_manager``: the cluster and the session manager of an application in a worker.
- ``worker_affinity_valve``, ``connection_moves``: a connection goes to the worker that has its session.
- ``request_relay``, ``relay_connection``, ``relay_frames``: a request whose connection cannot move is passed on to
  another worker, and its answer back.
- ``placements``, ``away_manager``: an application runs in some of the workers, the others pass its requests on.
- ``pools``: an application has workers of its own. ``pool_rights``: they speak of nothing but that application.
  ``pool_account``: they may run as another user; then ``own_user_valve`` passes their requests on, and
  ``keeper_realm`` has the keeper check their logins.
- ``connection_counts``, ``shared_parts``: what all processes share from before the fork. ``services``: calls.
- ``session_copies``: the keeper's knowledge of who has a copy of which session.
- ``session_tellers``: which worker tells the listeners of a session's end.
- ``services``: what a process does for the others when they call. ``peers``: how session managers see the two.
- ``keeper_backup_manager``, ``map_copies``: the same for a BackupManager, whose map the keeper is a member of.
- ``stored_sessions``: the keeper's managers that keep sessions over a restart, in a file or a Store.
- ``followers``, ``application_entry``: the keeper's word to its workers about applications. ``container_requests``:
  the manager applications, accepted in a worker, answered in the keeper.
- ``node_beans``: the keeper's registry shows one Tomcat, with sums over the workers.
- ``node_states``: failed logins, permits, nonces and counts, which are the node's.
- ``node_drain``: the node drains as one.
- ``lasting_memory``: what a keeper leaves to the next one: changes of beans, ``node_hosts``, and what states, logins
  and placements keep.
- ``node_sign_ons``: single sign-on, whose logins the keeper has.
- ``roles``: how a tree of components becomes a keeper or a worker.

A worker's changes of a round reach the keeper in one write, before the answers of the round leave: a worker that is
killed takes no answered change with it. Both ends of a link stand on the same ledger as two nodes of a group, so
whatever crosses, is lost or comes twice is merged by versions.
"""
