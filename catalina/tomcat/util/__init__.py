"""``org.apache.tomcat.util``: see the packages below."""
