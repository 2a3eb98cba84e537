"""How messages travel: the receiver and the sender."""
