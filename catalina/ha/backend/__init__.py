"""Tells a load balancer how busy this node is (Tomcat: ha/backend)."""
