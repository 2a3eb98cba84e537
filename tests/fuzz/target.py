"""One decoder as the fuzzers see it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalina.errors import ProtocolError

__all__ = ["CORPUS", "Target"]

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """A function that is run, with its inputs and its errors.

    Args:
        name: also the directory of its corpus.
        call: from bytes; what it returns means nothing.
        covers: entry points that it runs, ``module:qualified name``.
        seeds: good inputs to begin with.
        errors: what the decoder documents.
    """

    name: str
    call: Callable[[bytes], object]
    covers: tuple[str, ...]
    seeds: Callable[[], Sequence[bytes]]
    errors: tuple[type[Exception], ...] = (ProtocolError,)

    def run(self, data: bytes) -> None:
        """Run the decoder; whatever it raises that is not documented passes."""
        try:
            self.call(data)
        except self.errors:
            return

    def corpus(self) -> list[Path]:
        """Inputs that failed once."""
        return sorted((CORPUS / self.name).glob("*"))

    def add(self, data: bytes) -> Path:
        """Keep an input that has failed."""
        file = CORPUS / self.name / hashlib.sha256(data).hexdigest()[:16]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file
