"""The manager and host-manager applications: servlets over the running container (Tomcat: catalina/manager)."""
