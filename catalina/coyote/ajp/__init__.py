# exchange.py         one connection as a machine: what may come, what may be sent, what follows an answer
# packets.py          bytes -> packets of a web server; AjpReader for what is in them
# forward_request.py  the request packet            response_packets.py  what goes back
# ajp_nio_protocol.py the attributes of the <Connector>
