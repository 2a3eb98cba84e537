"""Layers of a channel, named as Tomcat names them."""
