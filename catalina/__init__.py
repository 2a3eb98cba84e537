"""A Tomcat-style application container for Python that speaks Tomcat's own cluster protocol.

The packages follow Tomcat's (see ARCHITECTURE.md): ``org.apache.catalina.ha.tcp.SimpleTcpCluster`` is
``catalina/ha/tcp/simple_tcp_cluster.py``. An application imports only :mod:`catalina.webapp`.
"""

__version__ = "0.2.0"
