"""Finds and checks users: realms, their credential handlers, and the rules of security constraints."""
