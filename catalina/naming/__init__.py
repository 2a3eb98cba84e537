"""Resources by name: data sources, mail sessions, environment entries."""
