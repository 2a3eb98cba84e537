"""Java object streams, read and written as inert values.

``encode_value`` and ``decode_value`` convert between Python values and :class:`EncodedValue`, ``dumps`` and ``loads``
whole streams. Codecs use ``ObjectOutputStream`` and ``ObjectInputStream``, in stream order. ``nodes`` represents
objects of any class. ``grammar`` has the wire form, ``python_form`` how Python's own classes travel.

- Streams: ``object_input_stream`` and ``object_output_stream``, over ``node_reader`` and ``node_writer``; ``skim``
  finds the end of an object without reading it; ``modified_utf8``; ``boundary`` is what all decoders end in.
- Messages of one class, by a table of its fields: ``object_form``; ``descriptors`` has the classes, ``encoded_value`` a
  value that stands in any stream.
- Values to bytes: ``value_encoder``, over ``value_writer`` and ``python_encoder``; ``java_time``.
- Bytes to values, inertly: ``value_decoder``, with ``jdk_values``, ``python_values``, ``python_classes`` (which may
  come back), ``instance_state``, ``key_check`` and ``undecodable``.
"""

from catalina.tribes.io.java.encoded_value import NULL, EncodedValue, OpaqueValue
from catalina.tribes.io.java.grammar import STREAM_HEADER, Limits
from catalina.tribes.io.java.nodes import ClassDesc, JavaArray, JavaEnum, JavaObject, JavaString
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream
from catalina.tribes.io.java.python_classes import ClassFilter
from catalina.tribes.io.java.value_decoder import decode_value, loads
from catalina.tribes.io.java.value_encoder import encode_value

__all__ = [
    "NULL",
    "ClassDesc",
    "ClassFilter",
    "EncodedValue",
    "JavaArray",
    "JavaEnum",
    "JavaObject",
    "JavaString",
    "Limits",
    "ObjectInputStream",
    "ObjectOutputStream",
    "OpaqueValue",
    "decode_value",
    "dumps",
    "encode_value",
    "loads",
    "stream_class_name",
]


def dumps(value: object) -> bytes:
    """A whole stream with one object in it.

    Raises:
        NotReplicableError: the value cannot be encoded.
    """
    return encode_value(value).to_stream()


def stream_class_name(data: bytes) -> str:
    """The class of the first object of a stream, such as ``java.util.ArrayList``; ``?`` if none.

    It is cheap, because a listener's ``accept`` calls it for each message.
    """
    return EncodedValue(data[4:300], 0).class_name if data.startswith(STREAM_HEADER) else "?"
