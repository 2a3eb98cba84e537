"""Replicated sessions (Tomcat: ha/session).

A delta, from the attribute to the other node: ``delta_session`` (what changed), ``delta_request`` (its bytes),
``session_message`` (around them), ``delta_manager`` (sends them at the end of the request); there
``cluster_session_listener`` finds the manager, ``delta_receiver`` turns the message into an event of the ledger, and
``delta_session`` shows what came of it.

- The state of a node that starts or was away: ``state_transfer`` asks, ``state_sender`` answers, ``comparisons`` says
  when; ``session_data`` has whole sessions as bytes. ``java_clocks`` gives Java's messages versions.
- One backup for each session: ``backup_manager``, ``map_session`` (over ``catalina.tribes.tipis``).
- Both managers: ``cluster_manager_base``, ``serializable_principal`` (the user), ``jvm_route_binder_valve`` (the cookie
  after a failover), ``delta_counters`` (what the bean shows).
"""
