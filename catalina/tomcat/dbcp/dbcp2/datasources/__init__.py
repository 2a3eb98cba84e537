"""Pools by users, by their class names."""
