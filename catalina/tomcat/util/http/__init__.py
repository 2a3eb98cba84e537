# The classes of org.apache.tomcat.util.http.
