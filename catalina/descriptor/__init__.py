"""web.xml as values, with line numbers: reading, checking, merging, writing.

``web_xml_reader`` reads a file into a ``web_xml``, whose parts are the ``elements``; ``web_xml_writer`` prints the
merged descriptor. The fragments of libraries are merged in ``startup/web_fragments.py``.
"""
