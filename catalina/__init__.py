"""A Tomcat-style application container for Python that speaks Tomcat's own cluster protocol.

The packages follow Tomcat's (see ARCHITECTURE.md): ``org.apache.catalina.ha.tcp.SimpleTcpCluster`` is
``catalina/ha/tcp/simple_tcp_cluster.py``. An application imports only :mod:`catalina.webapp`. ``__main__`` is the
command.

The ground that every package stands on: ``attributes`` and ``operations`` (what components declare), ``lifecycle``,
``errors``, ``place`` (a line of a file), ``reactor`` (the event loop) and ``polling``, ``repeated_messages``,
``node_state`` (one state for all processes of a node), ``extras`` (packages that are not always there). Java's
languages: ``java_pattern``, ``simple_date_format``.
"""

__version__ = "0.2.0"
