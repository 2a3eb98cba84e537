"""The containers, and what stands between a request and its servlet.

- The tree: ``standard_server`` > ``standard_service`` > ``standard_engine`` > ``standard_host`` > ``standard_context``
  > ``standard_wrapper``. ``container_base`` and ``standard_pipeline`` are their common parts;
  ``standard_engine_valve``, ``standard_host_valve``, ``standard_context_valve`` and ``standard_wrapper_valve`` end the
  pipelines.
- A Context in parts: ``context_attributes``, ``context_description`` (what web.xml says), ``context_naming``,
  ``context_bean``, ``filter_bean``, ``strict_compliance``.
- The application's view: ``application_context``, ``application_filters``, ``application_listeners``,
  ``application_dispatcher``. ``container_servlet``: servlets of the manager.
- Listeners: ``lifecycle_listener``, ``config_listener``, ``properties_role_mapping_listener``.
- Threads and the process: ``standard_thread_executor``, ``standard_virtual_thread_executor``, ``utility_executor``,
  ``node_restart``, ``node_role``.
- ``cluster``: what the container knows of ``catalina.ha``.
"""
