"""The source of connections for pools by users, under Java's class name."""
