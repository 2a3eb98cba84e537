"""``python -m tests.fuzz NAME [--runs N] [--seed N]``: run one decoder with bytes that nobody has thought of.

With atheris installed the inputs are guided by the code that they reach; without it they are changed seeds. An input
that fails is written to a file, and the last line says how to keep it.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import logging
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz.mutate import random_input
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

#: Seconds that one input may take before the process ends with a traceback.
HANG = 20.0
#: Runs between two lines of progress.
PROGRESS = 20_000


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 when an input failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=sorted(TARGETS), metavar="NAME", help=", ".join(sorted(TARGETS)))
    parser.add_argument("--runs", type=int, default=0, help="inputs; 0, the default, is without end")
    parser.add_argument("--seed", type=int, default=None, help="for the same inputs again; no effect with atheris")
    parser.add_argument("--add", type=Path, metavar="FILE", help="keep an input that failed, and run it")
    options = parser.parse_args(arguments)
    target = TARGETS[options.name]
    logging.disable()  # the messages of a decoder about broken bytes do not matter here
    if options.add is not None:
        data = options.add.read_bytes()
        print(f"kept as {target.add(data)}")
        return 0 if _holds(target, data) else 1
    try:
        import atheris
    except ImportError:
        return _loop(target, options.runs, options.seed)
    return _guided(atheris, target, options.runs)


def _holds(target: Target, data: bytes) -> bool:
    try:
        target.run(data)
    except Exception:
        traceback.print_exc()
        return False
    return True


def _loop(target: Target, runs: int, seed: int | None) -> int:
    source = random.Random(seed)
    seeds = [*target.seeds(), *(file.read_bytes() for file in target.corpus())]
    started, slowest = time.perf_counter(), 0.0
    for count in range(1, runs + 1) if runs else itertools.count(1):
        data = random_input(seeds, source)
        faulthandler.dump_traceback_later(HANG, exit=True)
        before = time.perf_counter()
        holds = _holds(target, data)
        took = time.perf_counter() - before
        faulthandler.cancel_dump_traceback_later()
        if not holds:
            return _report(target, data)
        if took > slowest:
            slowest = took
        if count % PROGRESS == 0:
            print(f"{target.name}: {count:,} inputs, {count / (before - started):,.0f}/s, slowest {slowest:.3f} s")
    print(
        f"{target.name}: {runs:,} inputs in {time.perf_counter() - started:.1f} s, slowest {slowest:.3f} s, none failed"
    )
    return 0


def _report(target: Target, data: bytes) -> int:
    with tempfile.NamedTemporaryFile(prefix=f"fuzz-{target.name}-", delete=False) as file:
        file.write(data)
    print(f"{target.name}: an input of {len(data)} bytes failed: {data[:200]!r}")
    print(f"keep it with: {sys.executable} -m tests.fuzz {target.name} --add {file.name}")
    return 1


def _guided(atheris: object, target: Target, runs: int) -> int:
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate([*target.seeds(), *(file.read_bytes() for file in target.corpus())]):
            (Path(corpus) / f"{number}").write_bytes(data)

        def call(data: bytes) -> None:
            if not _holds(target, data):
                _report(target, data)
                raise RuntimeError("an input failed")

        atheris.instrument_all()  # type: ignore[attr-defined]
        options = [f"-artifact_prefix={corpus}/", *([f"-runs={runs}"] if runs else [])]
        atheris.Setup([sys.argv[0], *options, corpus], call)  # type: ignore[attr-defined]
        atheris.Fuzz()  # type: ignore[attr-defined]
    return 0


if __name__ == "__main__":
    sys.exit(main())
