# Servlets of the container itself, named in conf/web.xml.
