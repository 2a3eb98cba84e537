# The classes of org.apache.tomcat.util.log.
