"""Tomcat's filters as WSGI middleware: what ``filter-class`` in web.xml names."""
