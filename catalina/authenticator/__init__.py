"""Authenticators, the valves that find out who a user is."""
