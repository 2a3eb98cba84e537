# web.xml as values, with line numbers: reading, checking, merging.
