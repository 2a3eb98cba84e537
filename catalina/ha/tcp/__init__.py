"""The cluster element, and the valve that replicates at the end of a request (Tomcat: ha/tcp)."""
