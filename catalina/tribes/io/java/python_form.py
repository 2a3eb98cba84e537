"""The form of a Python value that Java has no class for: it travels as a byte[] that begins with a mark.

A Java node keeps such an array and passes it on without looking inside (docs/wire.md 4.3). An object stream with one
object follows the mark. Only in that stream occur objects of a class that no Java has::

    python.Object, externalizable     UTF kind, then, depending on the kind:
        tuple, frozenset    int n, n objects
        bytes, bytearray    byte[]
        complex             two doubles
        decimal, datetime   the text of str() or isoformat(), as UTF
        range               three objects: start, stop, step
        deque               object: maxlen or null, int n, n objects
        defaultdict         String: class of default_factory or null, map
        namespace           map: the attributes
        object              String: class, map: __dict__ and slots
        subclass            String: class, object: the value as the builtin, map: __dict__ and slots
        enum                String: class, object: name of the member or null, object: its value
"""

from __future__ import annotations

from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe

MARK = b"\x00\xffcatalina.python\x01"

PYTHON_CLASS_NAME = "python.Object"
PYTHON_OBJECT = describe(PYTHON_CLASS_NAME, 1, EXTERNALIZABLE)
