"""Tomcat's filters as WSGI middleware, for ``filter-class`` in web.xml."""
