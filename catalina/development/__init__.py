"""What a developer of an application starts by hand: ``catalina run`` and ``catalina new``."""
