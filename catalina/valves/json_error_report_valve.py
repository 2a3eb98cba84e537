"""Errors as JSON (Tomcat: valves/JsonErrorReportValve.java)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from catalina.valves.error_report_valve import ErrorReportValve, partial_trace

if TYPE_CHECKING:
    from catalina.connector.response import Response

__all__ = ["JsonErrorReportValve"]


class JsonErrorReportValve(ErrorReportValve):
    """An object of status, type, message, reason, description, and the traces of an exception."""

    def report(self, response: Response, reason: str, description: str) -> None:
        exception = response.exception
        answer: dict[str, object] = {"status": response.status}
        if self.show_report:
            answer["type"] = "Status Report" if exception is None else "Exception Report"
            answer["message"] = response.message or (str(exception) if exception is not None else "")
            answer["reason"] = reason
            answer["description"] = description
            if exception is not None:
                answer["throwable"] = partial_trace(exception).splitlines()
                causes = []
                cause = exception.__cause__
                while cause is not None:
                    causes.append(partial_trace(cause).splitlines())
                    cause = cause.__cause__
                if causes:
                    answer["causes"] = causes
        self._write(response, "application/json", json.dumps(answer, indent=2, ensure_ascii=False))
