"""A JVM's beans in ``java.lang``, with this interpreter's values; values that mean nothing here are absent."""
