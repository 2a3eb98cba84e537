"""The host-manager application (Tomcat: manager/host)."""
