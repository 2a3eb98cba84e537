"""The common part of the CSRF filters (Tomcat: filters/CsrfPreventionFilterBase.java)."""

from __future__ import annotations

import secrets
from typing import ClassVar
from urllib.parse import parse_qs

from catalina.attributes import Attribute
from catalina.filters.filter_base import Environ, FilterBase

__all__ = ["CsrfPreventionFilterBase", "parameter_values"]

FORM = "application/x-www-form-urlencoded"
#: Bytes of a form that are searched for the nonce (maxPostSize), and parameters (maxParameterCount).
MAX_FORM, MAX_FIELDS = 2 * 2**20, 10_000


class CsrfPreventionFilterBase(FilterBase):
    """Nonces, and the status of refusals."""

    config_problem_fatal: ClassVar[bool] = True

    deny_status = Attribute(int, 403, doc="Status for refused requests.")
    random_class = Attribute(
        str, "java.security.SecureRandom", inert="nonces come from the operating system's random source"
    )

    @staticmethod
    def generate_nonce() -> str:
        """32 hexadecimal digits."""
        return secrets.token_hex(16).upper()


def parameter_values(environ: Environ, name: str) -> list[str]:
    """The values of a parameter in the query and in a form body; the part of the body that was read is put back."""
    values = _fields(environ.get("QUERY_STRING", "")).get(name, [])
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if environ["REQUEST_METHOD"] != "POST" or kind != FORM:
        return values
    body = environ["wsgi.input"].read(MAX_FORM)
    if body:
        environ["wsgi.input"].push_back(body)
    return values + _fields(body.decode("latin-1")).get(name, [])


def _fields(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # there are more than that many
        return {}
