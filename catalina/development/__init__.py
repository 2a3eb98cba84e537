"""The commands with which a developer starts an application by hand, and the nodes of trials and tests.

``run_command`` is ``catalina run``: ``project`` finds the application, ``trial_base`` makes its CATALINA_BASE,
``node_process`` starts nodes, ``front`` passes requests to a trial group, ``source_watch`` reports changed sources, and
``console_access_log`` prints a line for each request. ``new_command`` is ``catalina new``.
"""
