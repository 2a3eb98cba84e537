# exchange.py       one connection as a machine: legal input and output, and the end of an answer
# exchange_rules.py its limits, and the field lines of all answers
# request_head.py   bytes -> request line and fields      request_body.py   bytes -> body, by length or in chunks
# response_head.py  status and fields -> bytes            host.py           the Host field
# http11_nio_protocol.py, tls_attributes.py               the attributes of the <Connector>
