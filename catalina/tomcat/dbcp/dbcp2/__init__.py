"""Commons DBCP 2 as Tomcat brings it, by its class names."""
