"""Jolokia's protocol, 8.2: beans as JSON over HTTP (https://jolokia.org, Jolokia 2.x).

``request`` reads what is asked, with ``paths``; ``policy`` says if it may be; ``commands`` does it, with ``listing``
and ``open_types``; ``serializer`` writes the values. ``history`` remembers values that clients have seen, and
``notifications`` has their listeners, ``debug`` answers for an operator, ``discovery`` finds other agents; these are
beans of the domain ``jolokia``.
"""
