"""Applications deployed on every node of a farm (Tomcat: ha/deploy)."""
