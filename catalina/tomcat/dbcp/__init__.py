"""Commons DBCP as Tomcat brings it, by its class names."""
