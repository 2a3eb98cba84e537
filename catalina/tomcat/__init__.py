"""What Tomcat keeps in ``org.apache.tomcat``: the classes that configuration files name by that package."""
