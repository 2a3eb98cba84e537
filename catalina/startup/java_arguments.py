"""Reads a command line in the form that catalina.sh gives to Java: ``-Dname=value -Xmx1g ... -config conf/server.xml
start``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["JavaArguments", "parse_arguments"]

#: Java options whose value is the next word.
_WITH_VALUE = frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"})
#: Arguments of Tomcat's own Catalina class that mean nothing here.
_OF_CATALINA = frozenset({"-nonaming", "-generateCode", "-useGeneratedCode", "-security"})


@dataclass(slots=True)
class JavaArguments:
    """The meaning of the words of a command line.

    Args:
        properties: the properties from ``-Dname=value``; ``-Dname`` alone gives an empty text.
        config_file: the file of ``-config FILE``.
        verb: the last word that is no option, empty when there is none.
        ignored: options that only a Java process has (``-Xmx1g``), in order.
    """

    properties: dict[str, str] = field(default_factory=dict)
    config_file: str = "conf/server.xml"
    verb: str = ""
    ignored: list[str] = field(default_factory=list)


def parse_arguments(words: Sequence[str]) -> JavaArguments:
    """Read a command line; later words win. Every list of words is accepted, because operators keep old JAVA_OPTS."""
    arguments = JavaArguments()
    rest = iter(words)
    for word in rest:
        if word.startswith("-D"):
            name, _, value = word[2:].partition("=")
            arguments.properties[name] = value
        elif word in ("-config", "--config"):
            arguments.config_file = next(rest, arguments.config_file)
        elif word in _WITH_VALUE:
            arguments.ignored.append(f"{word} {next(rest, '')}".rstrip())
        elif word.startswith(("-", "@")):
            if word not in _OF_CATALINA:
                arguments.ignored.append(word)
        else:
            arguments.verb = word
    return arguments
