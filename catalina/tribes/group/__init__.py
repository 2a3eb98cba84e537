"""The channel and the stack of interceptors under it."""
