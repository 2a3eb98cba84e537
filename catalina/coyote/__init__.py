# Protocols as bytes <-> messages: no socket, no thread, no clock.
# http11/   HTTP/1.1      ajp/   AJP/1.3      http2/   HTTP/2
