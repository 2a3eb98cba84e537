"""Helpers that several packages of the container share, as in Tomcat's package ``org.apache.catalina.util``.

Names: context_name.py, path_names.py. Clients and proxies: net_mask.py, forwarded.py. Pages: tomcat_css.py,
error_pages.py, server_info.py. Sessions: session_cookie_config.py, standard_session_id_generator.py. Rate limits:
rate_limiter_base.py and its two kinds, time_bucket_counter.py. Java's spelling: java_dates.py, jdbc_url.py.
"""
