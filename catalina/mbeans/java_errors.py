"""Java's exception for each of ours: clients decide by its class, people read its text."""

from __future__ import annotations

from dataclasses import dataclass

from catalina.mbeans.managed_bean import NoSuchOperation
from catalina.mbeans.object_name import MalformedObjectName
from catalina.mbeans.registry import InstanceNotFound, OperationFailed
from catalina.mbeans.values import BeanAttributeError, NoSetter, NotOfType

__all__ = ["JavaError", "java_error"]


@dataclass(frozen=True, slots=True)
class JavaError:
    """A Java exception: its class and message, and that of its cause, None without one."""

    class_name: str
    message: str
    cause: JavaError | None = None

    def __str__(self) -> str:
        """As ``Throwable.toString`` writes it."""
        return f"{self.class_name}: {self.message}"

    def stack_trace(self) -> str:
        """The text of ``printStackTrace``, without frames, which Python does not have."""
        lines = [str(self)]
        cause = self.cause
        while cause is not None:
            lines.append(f"Caused by: {cause}")
            cause = cause.cause
        return "\n".join(lines)


def java_error(error: BaseException) -> JavaError:
    """The exception that Java throws in place of ``error``."""
    text = str(error)
    match error:
        case MalformedObjectName():
            return JavaError("javax.management.MalformedObjectNameException", text)
        case InstanceNotFound():
            return JavaError("javax.management.InstanceNotFoundException", text)
        case NoSetter():
            return JavaError("javax.management.ReflectionException", text, JavaError(_NO_METHOD, error.method))
        case NotOfType():
            return JavaError("javax.management.InvalidAttributeValueException", text)
        case BeanAttributeError():
            return JavaError("javax.management.AttributeNotFoundException", text)
        case NoSuchOperation():
            cause = JavaError(_NO_METHOD, f"{error.class_name}.{error.name}({','.join(error.signature or ())})")
            return JavaError("javax.management.ReflectionException", _NO_SIGNATURE.format(error.name), cause)
        case OperationFailed():
            cause = _plain(error if error.__cause__ is None else error.__cause__)
            return JavaError("javax.management.MBeanException", f"Exception invoking method [{error.operation}]", cause)
    return _plain(error)


def _plain(error: BaseException) -> JavaError:
    """The exception for one that means nothing to JMX."""
    kind = "java.lang.IllegalArgumentException" if isinstance(error, ValueError) else "java.lang.RuntimeException"
    return JavaError(kind, str(error) or repr(error))


_NO_METHOD = "java.lang.NoSuchMethodException"
_NO_SIGNATURE = "Cannot find method [{}] with this signature"
