"""Listeners that check the server's own security (Tomcat: catalina/security)."""
