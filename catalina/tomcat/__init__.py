"""The classes of ``org.apache.tomcat`` that configuration files name by that package."""
