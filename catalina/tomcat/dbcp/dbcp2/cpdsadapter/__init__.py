"""Where pools by users get their connections, by its class name."""
