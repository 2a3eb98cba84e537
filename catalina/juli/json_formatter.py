"""One JSON object a record (Tomcat: juli/JsonFormatter.java)."""

from __future__ import annotations

import json
import logging
import re

from catalina.attributes import Attribute
from catalina.juli.levels import level_name
from catalina.juli.one_line_formatter import OneLineFormatter, source_method, stack_trace, thread_name

__all__ = ["JsonFormatter"]

#: Characters that JSON allows in a string but that a terminal or an encoder does not.
_RAW_IN_JSON = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class JsonFormatter(OneLineFormatter):
    """Keys time, level, thread, class, method, message and, with an exception, throwable (a list of lines)."""

    time_format = Attribute(str, "yyyy-MM-dd'T'HH:mm:ss.SSSX", doc="Pattern of java.text.SimpleDateFormat.")

    def format(self, record: logging.LogRecord) -> str:
        """The object as one line."""
        fields: dict[str, object] = {
            "time": self._date(round(record.created * 1000)),
            "level": level_name(record.levelno),
            "thread": thread_name(record),
            "class": record.name,
            "method": source_method(record.funcName or ""),
            "message": record.getMessage(),
        }
        trace = stack_trace(record)
        if trace:
            fields["throwable"] = trace.splitlines()
        return _RAW_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(fields, ensure_ascii=False))
