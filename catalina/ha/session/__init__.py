"""Replicated sessions (Tomcat: ha/session)."""
