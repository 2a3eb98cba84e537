"""Session ids, at the place that Tomcat's className ``org.apache.catalina.util.StandardSessionIdGenerator`` names."""
