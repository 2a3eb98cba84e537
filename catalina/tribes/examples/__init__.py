"""Programs to read and to run: ``python -m catalina.tribes.examples.echo`` and so on.

Each starts its members in one process on the loopback interface, says what happens, and returns what it found out; the
tests run them.
"""
