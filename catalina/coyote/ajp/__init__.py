# packets.py          bytes -> packets of a web server; AjpReader, AjpWriter for what is in them
# forward_request.py  the request packet            response_packets.py  what goes back
