"""TCP and UDP on the event loop."""
