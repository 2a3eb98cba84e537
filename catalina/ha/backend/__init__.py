"""What a node tells a load balancer about itself (Tomcat: ha/backend)."""
