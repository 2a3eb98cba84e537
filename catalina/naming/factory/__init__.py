"""Object factories that a Resource may name."""
