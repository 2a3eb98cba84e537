"""Management beans: every component under a name of its own, with its attributes to read and to set.

``object_name`` is the name (JMX's ObjectName), ``managed_bean`` looks at a component through its declared attributes,
``registry`` finds beans by name and pattern. What a server consists of is listed by ``catalina.startup.server_beans``.
"""
