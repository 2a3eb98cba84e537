"""User databases: tomcat-users.xml."""
