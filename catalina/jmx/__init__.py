"""JMX over RMI (JSR 160) as every JVM speaks it: jconsole, VisualVM and monitoring systems read and change the beans.

From the bottom up: ``java_classes`` (descriptors), ``java_nodes`` and ``java_arguments`` (Python values <-> inert Java
streams), ``jrmp`` (calls and returns as bytes), ``query_expressions`` (queries by value), ``rmi_connection`` (the
requests of a client), ``rmi_objects`` (the objects that answer), ``rmi_transport`` (sockets and threads),
``remote_settings`` and ``password_realm`` (the settings of the JDK's properties, the users), ``jmx_remote`` and
``jmx_remote_lifecycle_listener`` (which open the port).

A client's data never becomes an object of a class that the client names: streams are parsed into inert nodes, and only
the classes in ``java_arguments`` and ``query_expressions`` have a meaning.
"""
