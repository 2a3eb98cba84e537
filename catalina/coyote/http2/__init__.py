"""HTTP/2 as bytes and states: no socket, no thread, no clock.

Bytes go up: ``http2_parser`` cuts frames, ``hpack_decoder`` reads header blocks, ``http2_upgrade_handler`` knows
streams, windows and settings, ``request_fields`` checks what a request may say. ``overhead`` counts frames that cost
work and carry little, ``http2_error`` has the two kinds of error. ``http2_protocol`` is the <UpgradeProtocol> element
with its attributes.
"""
