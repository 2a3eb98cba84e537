"""Starting and stopping: bin's verbs, the arbiter and the node, what configures hosts and applications from files.

bootstrap.py is where the scripts come in (the ``catalina`` command: catalina/__main__.py), catalina.py loads
server.xml, node_application.py and node_worker.py run it under gunicorn, host_config.py deploys applications,
context_config.py reads their web.xml, control_socket.py takes ``catalina deploy`` and its siblings.
"""
