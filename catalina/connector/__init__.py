# request.py, response.py    what valves and applications see of one exchange; headers.py, parameters.py ... their parts
# coyote_adapter.py          the URI (uri.py) -> mapping -> the engine's pipeline
# wsgi_adapter.py            the WSGI callable at the end of the pipeline
# connector.py               the <Connector> element
# endpoint.py, listening.py  its sockets; request_executor.py: how many requests run, and where
# stream_connection.py       a socket in the loop; exchange_connection.py: one request after the other on it
# handover.py                a plain HTTP/1.1 connection on its way to another process, with what was read of it
# http11_connection.py       runs the requests of coyote/http11/exchange.py, which knows what may come and go
# ajp_*.py http2_*.py tls_*.py h2c_*.py      the other protocols: they read, feed the codecs of coyote/, and write
