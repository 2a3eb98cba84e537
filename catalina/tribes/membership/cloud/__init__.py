"""Finds members by asking a name server or the Kubernetes API."""
