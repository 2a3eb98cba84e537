"""Valves: a className is a file, ``valve_base`` is the contract.

- Access logs: ``abstract_access_log_valve`` (when a line is written), ``access_log_valve`` (``log_file``),
  ``extended_access_log_valve``, ``json_access_log_valve``, ``jdbc_access_log_valve``. A field is defined in
  ``access_log_elements`` or ``extended_log_fields``; ``access_log_pattern``, ``access_log_time``,
  ``access_log_escape``.
- Access: ``request_filter_valve`` with ``remote_addr_valve``, ``remote_cidr_valve``, ``remote_host_valve``;
  ``remote_ip_valve`` and ``ssl_valve`` (what a proxy says); ``parameter_limit_valve``, ``semaphore_valve``.
- Errors: ``error_report_valve`` with ``status_texts``, ``json_error_report_valve``, ``proxy_error_report_valve``,
  ``local_traceback_valve``.
- Sessions: ``persistent_valve``, ``crawler_session_manager_valve``, ``load_balancer_draining_valve``.
- ``filter_valve``, ``health_check_valve``, ``stuck_thread_detection_valve``; ``rewrite`` has the RewriteValve.
"""
