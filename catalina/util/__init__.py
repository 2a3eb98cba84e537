"""Helpers that several packages of the container share, as in Tomcat's package ``org.apache.catalina.util``.

Names: ``context_name``, ``path_names``. Clients and proxies: ``net_mask``, ``forwarded``. Pages: ``tomcat_css``,
``error_pages``, ``server_info``. Sessions: ``session_cookie_config``, ``standard_session_id_generator``. Rate limits:
``rate_limiter_base``, ``exact_rate_limiter``, ``fast_rate_limiter``. Java's spelling:
``java_dates``, ``jdbc_url``.
"""
