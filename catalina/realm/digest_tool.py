"""``digest.sh``: prints the form in which a password is stored (Tomcat: the main method of RealmBase.java)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from catalina.attributes import AttributeRefused
from catalina.realm.credential_handler import DigestCredentialHandlerBase
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler

__all__ = ["main"]

USAGE = (
    "Usage: RealmBase [-a <algorithm>] [-e <encoding>] [-i <iterations>] [-s <salt-length>] [-k <key-length>]"
    " [-h <handler-class-name>] [-f <password-file> | <XX credentials>]"
)
DEFAULT_ALGORITHM = "SHA-512"
#: Option -> XML attribute of the handler.
ATTRIBUTES = {"-e": "encoding", "-i": "iterations", "-s": "saltLength", "-k": "keyLength"}
HANDLERS: dict[str, type[DigestCredentialHandlerBase]] = {
    handler.__name__: handler for handler in (MessageDigestCredentialHandler, SecretKeyCredentialHandler)
}


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout, standard_input: TextIO = sys.stdin) -> int:
    """Print ``password:stored`` for each password; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options: dict[str, str] = {}
    while len(words) > 1 and len(words[0]) == 2 and words[0].startswith("-"):
        option = words.pop(0)
        if option == "--":
            break
        if option not in {*ATTRIBUTES, "-a", "-h", "-f"}:
            words = []
            options.clear()
            break
        options[option] = words.pop(0)
    if not words and "-f" not in options:
        print(USAGE, file=out)
        return 0
    try:
        handler = _handler(options)
        for password in _passwords(options.get("-f"), words, standard_input):
            print(f"{password}:{handler.mutate(password)}", file=out)
    except FileNotFoundError as error:
        print(f"cannot stat '{error.filename}': No such file or directory", file=sys.stderr)
        return 1
    except (AttributeRefused, KeyError) as error:
        print(f"digest: {error}", file=sys.stderr)
        return 1
    return 0


def _handler(options: dict[str, str]) -> DigestCredentialHandlerBase:
    class_name = options.get("-h")
    algorithm = options.get("-a") or (None if class_name else DEFAULT_ALGORITHM)
    candidates = [HANDLERS[class_name.rpartition(".")[2]]] if class_name else list(HANDLERS.values())
    handler = candidates[-1]()
    for candidate in candidates:
        handler = candidate()
        try:
            if algorithm is not None:
                handler.set_attribute("algorithm", algorithm)
            break
        except AttributeRefused:
            if candidate is candidates[-1]:
                raise AttributeRefused(f"a digest or key derivation, not {algorithm!r}") from None
    for option, name in ATTRIBUTES.items():
        if option in options:
            handler.set_attribute(name, options[option])
    return handler


def _passwords(file: str | None, words: list[str], standard_input: TextIO) -> Iterator[str]:
    if file is None:
        yield from words
    elif file == "-":
        yield from (line.rstrip("\n") for line in standard_input)
    else:
        with open(file, encoding="utf-8") as lines:
            yield from (line.rstrip("\n") for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
