"""The environment variables of an application: its ``.env``, ``<Environment>`` of its Context, and an operator's file.

One process has one table of environment variables, and several applications may run in it. So these variables are in
the application's own view of ``os.environ`` (loader/application_environ.py) and of the programs that it starts with
``subprocess``; libraries in C do not see them. The strongest first:

1. ``<Environment override="false">`` of the Context,
2. ``conf/<engine>/<host>/NAME.env``, or that of the path for all its versions,
3. ``<Environment>``, with the value of web.xml's ``<env-entry>`` of the same name, if there is one,
4. the variables with which the server was started,
5. ``.env`` in the application's directory, which only fills in what nobody else has given.
"""

from __future__ import annotations

import logging
import os
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.descriptor.elements import EnvEntry

__all__ = ["application_variables", "read_variables", "variable_files"]

log = logging.getLogger("org.apache.catalina.startup.ContextConfig")

#: Limits of one file: bytes, variables, and characters of a value after substitution.
MAX_BYTES = 2**16
MAX_VARIABLES = 1000
MAX_VALUE = 2**15

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.DOTALL)
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_ESCAPE_OR_REFERENCE = re.compile(rf"\\(?P<escaped>.)|{_REFERENCE.pattern}", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def application_variables(context: StandardContext, env_entries: Mapping[str, EnvEntry]) -> dict[str, str]:
    """The variables of an application that differ from the server's.

    Args:
        env_entries: those of its web.xml.

    Raises:
        ConfigurationError: the operator's file cannot be read; the text names file and line. A line of the
            application's ``.env`` that cannot be read is left out with a warning, because other readers may know it.
    """
    found: dict[str, str] = {}
    own, *operators = variable_files(context)
    for name, value in _read(own, os.environ, strict=False).items():
        if name not in os.environ:
            found[name] = value
    fixed = {}
    for entry in context.naming.entries:
        if not isinstance(entry, ContextEnvironment) or not _NAME.fullmatch(entry.name):
            continue
        replacing = env_entries.get(entry.name)
        if not entry.override:
            fixed[entry.name] = entry.value
        elif replacing is not None and replacing.value is not None:
            found[entry.name] = replacing.value
        else:
            found[entry.name] = entry.value
    for file in operators:
        if file.is_file():
            found.update(_read(file, {**os.environ, **found}, strict=True))
            break
    return found | fixed


def variable_files(context: StandardContext) -> list[Path]:
    """The files that may have variables, existing or not: the application's own, then the operator's, the first of
    which counts.
    """
    names = (context.base_name, ContextName(context.path, "").base_name)
    return [context.document_root / ".env"] + [
        context.host.config_base_path / f"{name}.env" for name in dict.fromkeys(names)
    ]


def _read(file: Path, known: Mapping[str, str], strict: bool) -> dict[str, str]:
    if not file.is_file():
        return {}
    try:
        with file.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigurationError(f"more than {MAX_BYTES} bytes")
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ConfigurationError) as exc:
        why = f"[{file}] cannot be read: {exc}"
        if strict:
            raise ConfigurationError(why) from None
        log.warning("%s", why)
        return {}
    found: dict[str, str] = {}
    for line, name, value in read_variables(text, ChainMap(dict(known), found)):
        if value is not None:
            found[name] = value
        elif strict:
            raise ConfigurationError(f"[{file}], line {line}: {name}")
        else:
            log.warning("[%s], line %s: %s; the line is left out", file, line, name)
    return found


def read_variables(text: str, known: Mapping[str, str]) -> Iterator[tuple[int, str, str | None]]:
    """Read lines ``NAME=value``, as dotenv files have them; nothing is run.

    ``export`` may stand before the name. A value may be in single quotes (as it stands) or in double quotes (with
    ``\\n``, ``\\"`` ...), over several lines; without quotes it ends at `` #``. ``${NAME}`` and ``${NAME:-default}``
    are replaced, but not in single quotes.

    Args:
        known: variables that references may name; the caller adds each result.

    Yields:
        Line, name and value; for a line that cannot be read, the fault in place of the name, and None.
    """
    at, line, count = 0, 1, 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        head, begin, first = text[at:end].strip(), at, line
        at, line = end + 1, line + 1
        if not head or head.startswith("#"):
            continue
        name, equals, _ = head.removeprefix("export ").partition("=")
        name = name.strip()
        count += 1
        if count > MAX_VARIABLES:
            yield first, f"more than {MAX_VARIABLES} variables", None
            return
        if not equals or not _NAME.fullmatch(name):
            yield first, "expected NAME=value", None  # the line may have a password, and is not shown
            continue
        value, at = _value(text, text.index("=", begin) + 1, end, known)
        line += text.count("\n", end + 1, at)
        if len(value) > MAX_VALUE or "\0" in value:
            yield first, f"the value of {name} has a NUL or more than {MAX_VALUE} characters", None
        else:
            yield first, name, value


def _value(text: str, at: int, end: int, known: Mapping[str, str]) -> tuple[str, int]:
    """A value in a line that ends at ``end``, and the place behind its last line."""
    while at < end and text[at] in " \t":
        at += 1
    quoted = _SINGLE.match(text, at) or _DOUBLE.match(text, at)
    if quoted is None:
        return _replaced(_COMMENT.sub("", text[at:end]).strip(), _REFERENCE, known), end + 1
    after = text.find("\n", quoted.end())
    value = quoted[1] if quoted.re is _SINGLE else _replaced(quoted[1], _ESCAPE_OR_REFERENCE, known)
    return value, len(text) if after < 0 else after + 1


def _replaced(value: str, pattern: re.Pattern[str], known: Mapping[str, str]) -> str:
    """The value with its references replaced; as soon as it is too long, only its beginning."""
    parts, length, at = [], 0, 0
    for found in pattern.finditer(value):
        escaped = found.groupdict().get("escaped")
        new = known.get(found["name"]) or found["default"] or "" if escaped is None else _ESCAPED.get(escaped, escaped)
        parts += [value[at : found.start()], new]
        length += found.start() - at + len(new)
        at = found.end()
        if length > MAX_VALUE:
            break
    return "".join([*parts, value[at:]])
