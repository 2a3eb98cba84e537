# request.py, response.py    one exchange, as valves and applications see it; headers.py, parameters.py ... their parts
# carried.py                 the parts of the container that a request carries, by what they are needed for
# coyote_adapter.py          the URI (uri.py) -> mapping -> the engine's pipeline
# wsgi_adapter.py            the WSGI callable at the end of the pipeline
# connector.py               the <Connector> element
# endpoint.py, listening.py  its sockets; request_executor.py: how many requests run, and where
# connection_factory.py      which connections its clients get: stream x protocol x runner, h2c, ALPN
# outlet.py                  where a response goes: each protocol has one
# connection.py              a connection as the endpoint sees it, and the endpoint as its connections see it
# stream.py, tls_stream.py   move bytes
# exchange_runner.py         runs requests, and lets their answers leave
# http11_connection.py       runs the requests of coyote/http11/exchange.py, which knows what may come and go
# ajp_connection.py, ajp_request.py, http2_connection.py, http2_stream.py, http2_request.py
#                            the other protocols, each with the machine or the codecs of coyote/
# handover.py                a plain HTTP/1.1 connection on its way to another process, with what was read of it
# connection_facts.py, http11_rules.py       what all requests of a connection, or connections of a connector, share
# in_progress.py             the requests inside an application, for which its stop waits
# request_input.py, request_session.py, session_urls.py, charsets.py, coyote_principal.py      parts of a request
# compression.py, set_cookie.py, redirect_note.py, client_abort_exception.py                   parts of a response
# tls_contexts.py            one ssl.SSLContext for each SSLHostConfig
# request_processor_bean.py, thread_pool_bean.py, string_cache_bean.py                         what operators see
