"""Management beans: every component has a name, and attributes that can be read and set.

``object_name`` is the name (JMX's ObjectName), ``managed_bean`` looks at a component through its declared attributes,
``registry`` finds beans by name and pattern. ``catalina.startup.server_beans`` lists the beans of a server.

- As Java shows them: ``bean_info``, ``java_types``, ``open_data``, ``bean_dump``, ``java_errors``; ``values`` converts.
- Around them: ``notification_hub`` (events), ``audit`` (a line for each change), ``secrets`` (what is hidden),
  ``global_resources_lifecycle_listener`` (users as beans). ``platform`` has the beans of ``java.lang``.
"""
