"""The commands with which a developer starts an application by hand: ``catalina run`` and ``catalina new``."""
