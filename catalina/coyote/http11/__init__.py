# request_head.py   bytes -> request line and fields      request_body.py   bytes -> body, by length or in chunks
# response_head.py  status and fields -> bytes            host.py           the Host field
