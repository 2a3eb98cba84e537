"""Property sources: where ``${name}`` in configuration files may come from (Tomcat: tomcat/util/digester)."""
