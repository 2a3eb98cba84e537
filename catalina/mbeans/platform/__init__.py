"""What a JVM tells about itself in ``java.lang``, with this interpreter's values; what means nothing here is absent."""
