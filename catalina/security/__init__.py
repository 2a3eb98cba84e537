"""Listeners that look after the server's own security (Tomcat: catalina/security)."""
