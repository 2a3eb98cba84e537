"""Servlets of the container itself, named in conf/web.xml.

``default_servlet`` serves files, with ``conditions``, ``ranges``, ``directory_listing`` and ``file_changes`` (PUT,
DELETE). ``webdav_servlet`` adds WebDAV, with ``webdav_xml`` and ``webdav_locks``.
"""
