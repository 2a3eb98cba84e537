"""A screen without a monitor (Xvfb) for programs with windows, and pictures of it."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import zlib
from pathlib import Path

from tests.support.needs import need_command
from tests.support.waiting import wait_until

__all__ = ["Screen"]

#: Fields at the head of a file of xwd that count here: header size, width, height, bits of a pixel, bytes of a line,
#: entries of the colour map.
_HEADER, _WIDTH, _HEIGHT, _BITS, _LINE, _COLOURS = 0, 4, 5, 11, 12, 19


class Screen:
    """Begins when it is made; used with ``with``.

    Args:
        directory: an empty one, for the memory of the screen.
    """

    def __init__(self, directory: Path) -> None:
        need_command("Xvfb", "xvfb")
        self.display = f":{random.randrange(200, 60_000)}"
        self._memory = directory / "Xvfb_screen0"
        self._server = subprocess.Popen(
            ["Xvfb", self.display, "-screen", "0", "1200x800x24", "-fbdir", str(directory)], stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Screen:
        wait_until(Path(f"/tmp/.X11-unix/X{self.display[1:]}").exists, "the screen is there", 30)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._server.wait(10)
        # a killed server leaves its lock and its socket
        Path(f"/tmp/.X{self.display[1:]}-lock").unlink(missing_ok=True)
        Path(f"/tmp/.X11-unix/X{self.display[1:]}").unlink(missing_ok=True)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a program that shows its windows here."""
        return {**os.environ, "DISPLAY": self.display}

    def colour_at(self, place: tuple[int, int]) -> tuple[int, int, int]:
        """Red, green and blue of one pixel."""
        line = self._pixels()[1][place[1]]
        blue, green, red = line[4 * place[0] : 4 * place[0] + 3]
        return red, green, blue

    def save(self, file: Path) -> None:
        """Write a picture of the screen as PNG."""
        width, lines = self._pixels()
        rows = b"".join(b"\0" + _rgb(line) for line in lines)
        head = struct.pack(">IIBBBBB", width, len(lines), 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
        file.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
                for kind, data in parts
            )
        )

    def _pixels(self) -> tuple[int, list[bytes]]:
        """The width, and the lines of the screen, four bytes (blue, green, red, unused) for each pixel."""
        data = self._memory.read_bytes()
        head = struct.unpack_from(">25I", data)
        assert head[_BITS] == 32
        begin = head[_HEADER] + 12 * head[_COLOURS]
        width, size = head[_WIDTH], head[_LINE]
        return width, [data[begin + y * size : begin + y * size + 4 * width] for y in range(head[_HEIGHT])]


def _rgb(line: bytes) -> bytes:
    made = bytearray(len(line) // 4 * 3)
    made[0::3], made[1::3], made[2::3] = line[2::4], line[1::4], line[0::4]
    return bytes(made)
