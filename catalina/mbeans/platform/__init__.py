"""A JVM's beans in ``java.lang``, with this interpreter's values; values that mean nothing here are absent.

``platform_beans`` lists them, and has that of the memory; ``operating_system``, ``runtime``, ``threads``.
``process_files`` reads Linux.
"""
