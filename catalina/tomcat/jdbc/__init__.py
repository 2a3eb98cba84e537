"""Tomcat's JDBC pool, by its class names."""
