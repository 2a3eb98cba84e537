"""Decodes URIs of clients into paths for the mapper (Tomcat: CoyoteAdapter.postParseRequest, UDecoder)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalina.coyote.http_error import HttpError

__all__ = ["DecodedUri", "UriRules", "normalize", "without_path_parameters"]

DECODE, REJECT, PASS_THROUGH = "decode", "reject", "passthrough"

#: Sequences that Servlet 6.0 section 3.5.2 calls suspicious anywhere in a path; segments are checked one by one.
_SUSPICIOUS = re.compile(r"%2f|%5c|\\|%[01][0-9a-f]|%7f", re.IGNORECASE)
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")

#: Decoded URIs remembered per connector, and the longest one; clients choose them.
REMEMBERED = 4096
REMEMBERED_LENGTH = 256


@dataclass(frozen=True, slots=True)
class DecodedUri:
    """A path ready to be mapped, and its parameters (``;jsessionid=...``); the last one with a name counts."""

    path: str
    parameters: dict[str, str]


class UriRules:
    """The rules by which one connector decodes.

    Args:
        encoding: the encoding of the bytes (URIEncoding); invalid bytes are refused.
        solidus: the treatment of ``%2F`` in a path: ``reject``, ``decode`` or ``passthrough``.
        reverse_solidus: the same for ``%5C``.
        allow_backslash: a backslash is a slash; otherwise it is refused.
        reject_suspicious: refuse what Servlet 6.0 calls suspicious.
    """

    def __init__(
        self,
        encoding: str = "utf-8",
        solidus: str = REJECT,
        reverse_solidus: str = DECODE,
        allow_backslash: bool = False,
        reject_suspicious: bool = False,
    ) -> None:
        self.encoding = encoding
        self.solidus = solidus
        self.reverse_solidus = reverse_solidus
        self.allow_backslash = allow_backslash
        self.reject_suspicious = reject_suspicious
        #: Decoded paths, by the path as sent; a caller whom every request meets looks here first.
        self.remembered: dict[str, DecodedUri] = {}

    def decode(self, raw: str) -> DecodedUri:
        """Decode the path of a request.

        Args:
            raw: as sent, without the query; characters are bytes.

        Raises:
            HttpError: 400, the text is no path, or an ambiguous one.
        """
        known = self.remembered.get(raw)
        if known is not None:
            return known
        decoded = self._decode(raw)
        if len(raw) <= REMEMBERED_LENGTH:
            if len(self.remembered) >= REMEMBERED:
                self.remembered.clear()
            self.remembered[raw] = decoded
        return decoded

    def _decode(self, raw: str) -> DecodedUri:
        if not raw.startswith("/"):
            raise HttpError(400, "Invalid URI")
        if self.reject_suspicious and _is_suspicious(raw):
            raise HttpError(400, f"Suspicious URI {raw!r}")
        path, parameters = _cut_parameters(raw)
        text = self._unescape(path)
        if self.allow_backslash:
            text = text.replace("\\", "/")
        normal = normalize(text)
        if normal is None:
            raise HttpError(400, "Invalid URI")
        return DecodedUri(normal, parameters)

    def raw_prefix(self, raw: str, path: str) -> str | None:
        """The shortest beginning of a URI, up to a slash, that stands for ``path``; without parameters.

        It may have escapes or detours (``/x/../shop``).

        Args:
            raw: as sent; :meth:`decode` has accepted it.
            path: decoded and normalised, without a slash at its end.

        Returns:
            None when there is none.
        """
        wanted = path.split("/")[1:]
        kept: list[str] = []
        good = 0  # segments at the beginning of ``kept`` that match
        end = 0
        for segment in raw.split("/")[1:]:
            end += 1 + len(segment)
            text = self._unescape(segment.partition(";")[0])
            part = ""
            for part in (text.replace("\\", "/") if self.allow_backslash else text).split("/"):
                if part == "..":
                    kept.pop()
                    good = min(good, len(kept))
                elif part not in ("", "."):
                    if good == len(kept) < len(wanted) and wanted[good] == part:
                        good += 1
                    kept.append(part)
            if part and good == len(kept) == len(wanted):  # an empty last part is a slash at the end
                return without_path_parameters(raw[:end])
        return None

    def _unescape(self, path: str) -> str:
        data = path.encode("latin-1")
        if b"%" in data:
            data = _ESCAPE.sub(self._byte, data)
        try:
            return data.decode(self.encoding)
        except UnicodeDecodeError:
            raise HttpError(400, f"The URI {path!r} is not {self.encoding}") from None

    def _byte(self, escape: re.Match[bytes]) -> bytes:
        digits = escape[1]
        if digits is None:
            raise HttpError(400, "Invalid URI: % without two hex digits")
        value = bytes((int(digits, 16),))
        if value == b"%" and PASS_THROUGH in (self.solidus, self.reverse_solidus):
            return escape[0]  # otherwise %2F and %252F would afterwards be the same
        handling = self.solidus if value == b"/" else self.reverse_solidus if value == b"\\" else DECODE
        if handling == REJECT:
            attribute = "encodedSolidusHandling" if value == b"/" else "encodedReverseSolidusHandling"
            raise HttpError(
                400,
                f"Invalid URI: the encoded {value.decode()} character is not allowed (the Connector's {attribute})",
            )
        return escape[0] if handling == PASS_THROUGH else value


def _is_suspicious(raw: str) -> bool:
    if _SUSPICIOUS.search(raw):
        return True
    segments = raw.split("/")[1:]
    last = len(segments) - 1
    for at, segment in enumerate(segments):
        name, parameters, _ = segment.partition(";")
        dots = name.lower().replace("%2e", ".")
        if not dots.strip(".") and ("%" in name or (parameters and (dots in (".", "..") or (not dots and at < last)))):
            return True
    return False


def _cut_parameters(raw: str) -> tuple[str, dict[str, str]]:
    """``/a;x=1/b;jsessionid=2`` -> ``/a/b`` and the parameters."""
    parameters: dict[str, str] = {}
    if ";" not in raw:
        return raw, parameters
    segments = []
    for segment in raw.split("/"):
        name, *rest = segment.split(";")
        segments.append(name)
        for parameter in rest:
            key, _, value = parameter.partition("=")
            parameters[key] = value
    return "/".join(segments), parameters


def without_path_parameters(path: str) -> str:
    """``/a;x=1/b;jsessionid=..`` -> ``/a/b``."""
    return _cut_parameters(path)[0]


def normalize(path: str) -> str | None:
    """Fold ``//``, ``/./`` and ``/../`` of a path; a slash at the end stays (Tomcat: util/http/RequestUtil.java).

    Returns:
        None when ``..`` leads above the root, or a NUL or backslash is in the path.
    """
    if "\\" in path or "\0" in path:
        return None
    if not path.startswith("/"):
        path = "/" + path
    if "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    parts = path[1:].split("/")
    for part in parts:
        if part == "..":
            if not kept:
                return None
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    # Tomcat takes a/. and a/.. for the name without a slash, so a directory there causes a redirect.
    return "/" + "/".join(kept) + ("/" if not parts[-1] and kept else "")
