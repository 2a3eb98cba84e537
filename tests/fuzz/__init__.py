"""Every decoder of bytes from outside, fed with bytes that nobody has thought of.

``targets`` is the table: a name, a function of bytes, the errors that it documents, and inputs to begin with.
``test_fuzz`` runs each for a bounded number of inputs; ``python -m tests.fuzz NAME`` runs one without end. Each input
that ever failed stands in ``corpus/NAME/`` and is tried first.
"""
