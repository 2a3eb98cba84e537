"""Logging, configured by conf/logging.properties (Tomcat: juli).

``class_loader_log_manager`` reads the file and sets up Python's own logging accordingly; loggers carry Tomcat's names,
so an operator's levels and handlers match. No application can switch off the container's own loggers. ``levels``
translates Java's, ``logging_bean`` shows and sets levels.

- Handlers: ``file_handler``, ``async_file_handler``, ``console_handler``.
- Formatters: ``one_line_formatter``, ``simple_formatter``, ``jdk_logger_formatter``,
  ``json_formatter``, ``systemd_formatter``, ``verbatim_formatter``; all through ``log_text``, so that nobody forges a
  line.
"""
