"""Starts and stops the server: bin's verbs, the arbiter and the node, and the configuration of hosts and applications
from files.

The scripts call bootstrap.py (the ``catalina`` command calls catalina/__main__.py). catalina.py loads server.xml,
node_application.py and node_worker.py run it under gunicorn, host_config.py deploys applications, context_config.py
reads their web.xml, and control_socket.py takes ``catalina deploy`` and similar commands.
"""
