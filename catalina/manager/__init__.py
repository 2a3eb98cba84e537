"""The manager and host-manager applications: servlets over the running container (Tomcat: catalina/manager).

- For scripts: ``manager_servlet`` and ``text_servlet``, with ``asked`` (request and answer). A command is a method of
  ``applications``, ``installation`` (deploy), ``session_report`` or ``tls_report``.
- For people: ``html_manager_servlet`` and ``session_pages``, with ``page``, ``words`` and ``charts``.
- The group: ``cluster_manager_servlet``, ``cluster_events_servlet``; ``event_stream`` (also for ``jolokia_servlet``).
- For monitoring: ``status_manager_servlet`` with ``status``; ``metrics_servlet`` with
  ``metrics``; ``open_telemetry_listener``; ``jmx_proxy_servlet``; ``jolokia_servlet`` with the
  package ``jolokia``.
"""
