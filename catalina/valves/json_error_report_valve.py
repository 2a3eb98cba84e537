"""Errors as JSON (Tomcat: valves/JsonErrorReportValve.java)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from catalina.valves.error_report_valve import ErrorReportValve, causes_of, partial_trace
from catalina.valves.status_texts import UNKNOWN

if TYPE_CHECKING:
    from catalina.connector.response import Response

__all__ = ["JsonErrorReportValve"]


class JsonErrorReportValve(ErrorReportValve):
    """Writes an object with status, type, message, reason, description, and the traces of an exception."""

    def answer(self, response: Response) -> None:
        """Always write JSON: the files for errors are pages, which no client of this valve wants."""
        texts = self._texts(response) if self.show_report else UNKNOWN
        if texts is not None:
            self.report(response, *texts)

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
                causes = [partial_trace(cause).splitlines() for cause in causes_of(exception)]
                if causes:
                    answer["causes"] = causes
        self._write(response, "application/json", json.dumps(answer, indent=2, ensure_ascii=False))
