"""The examples: ordinary WSGI callables that know nothing of the cluster."""
