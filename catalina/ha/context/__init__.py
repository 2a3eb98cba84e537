"""Contexts whose attributes the nodes of a group share (Tomcat: ha/context)."""
