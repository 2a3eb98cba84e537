# exchange.py         one connection as a machine: legal input and output, and the end of an answer
# packets.py          bytes -> packets of a web server; AjpReader for their fields
# forward_request.py  the request packet            response_packets.py  the packets of an answer
# ajp_nio_protocol.py the attributes of the <Connector>
