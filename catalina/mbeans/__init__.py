"""Management beans: every component has a name, and attributes that can be read and set.

``object_name`` is the name (JMX's ObjectName), ``managed_bean`` looks at a component through its declared attributes,
``registry`` finds beans by name and pattern. ``catalina.startup.server_beans`` lists the beans of a server.
"""
