"""Tomcat's filters as WSGI middleware, for ``filter-class`` in web.xml.

- ``filter_base``: attributes from init parameters, the next application, the response's head.
- Access: ``request_filter`` with ``remote_addr_filter``, ``remote_cidr_filter``, ``remote_host_filter``;
  ``remote_ip_filter`` (who is behind a proxy); ``rate_limit_filter``.
- Other sites: ``cors_filter`` and ``origin``; ``csrf_prevention_filter_base`` with ``csrf_prevention_filter``,
  ``rest_csrf_prevention_filter``; ``http_header_security_filter``.
- Texts and caches: ``add_default_charset_filter``, ``set_character_encoding_filter``, ``failed_request_filter``;
  ``expires_filter``.
- ``session_initializer_filter``, ``request_dumper_filter``, ``webdav_fix_filter``.
"""
