"""web.xml as values, with line numbers: reading, checking, merging, writing.

``web_xml_reader`` reads a file into a ``web_xml``, whose parts are the ``elements``; ``url_pattern`` checks patterns,
``fragment_order`` puts the libraries' fragments in order, ``web_xml_writer`` prints the merged descriptor.
"""
