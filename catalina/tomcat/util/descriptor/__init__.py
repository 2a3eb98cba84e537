"""Elements of context.xml and server.xml that Tomcat keeps outside of ``org.apache.catalina``."""
