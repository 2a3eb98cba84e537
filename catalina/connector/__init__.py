# request.py, response.py       what valves and applications see of one exchange; headers.py, parameters.py their parts
# coyote_adapter.py             bytes of a URI -> mapping -> the engine's pipeline; uri.py decodes and normalises
# wsgi_adapter.py               the WSGI callable at the end of the pipeline
# connector.py, endpoint.py     the <Connector> element; listening sockets and connections
# *_connection.py               one connection of a protocol: reads, feeds the codec of coyote/, writes
