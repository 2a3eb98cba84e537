"""Logging, configured by conf/logging.properties (Tomcat: juli).

``class_loader_log_manager`` reads the file and sets up Python's own logging accordingly; loggers carry Tomcat's names,
so an operator's levels and handlers match. The other modules are the handlers and formatters that the file names.
"""
