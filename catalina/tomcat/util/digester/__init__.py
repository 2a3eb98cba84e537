"""Property sources for ``${name}`` in configuration files (Tomcat: tomcat/util/digester)."""
