# What Tomcat keeps in org.apache.tomcat.util.log.
