"""Single sign-on across the nodes of a group (Tomcat: ha/authenticator)."""
