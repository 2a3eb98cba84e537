"""Farming an archive: seconds from the moment it is in watchDir to the first answer on all three nodes.

    python -m benchmarks.farm [MB ...]        1, 20 and 200 by default

Three nodes of ours and three Java Tomcats, one after the other in the same run, on loopback, each with the same page
and the same incompressible ballast; our archives are wheels, Java's wars (which it does not unpack here). Both look at
watchDir as often as they can: Java on each background tick of one second, ours when inotify tells.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.cluster.test_farm import deployer
from tests.deploy.archives import hello
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.interop.test_farm_java import WEB_XML
from tests.support.ports import free_udp_port

TIMEOUT = 600.0
_MB = 2**20


def ballast(megabytes: int) -> dict[str, bytes]:
    """Files of 1 MiB that do not compress."""
    return {f"ballast/{number}.bin": os.urandom(_MB) for number in range(megabytes)}


def write_zip(file: Path, files: dict[str, bytes | str]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def make_our_archive(directory: Path, megabytes: int) -> Path:
    """A wheel whose application answers ``here``."""
    name = f"bench{megabytes}"
    info = f"{name}-1.dist-info"
    return write_zip(directory / f"{name}-1-py3-none-any.whl", {
        f"{name}.py": hello("here"),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **ballast(megabytes),
    })  # fmt: skip


def make_java_archive(directory: Path, megabytes: int) -> Path:
    """A war whose page says ``here``."""
    return write_zip(directory / f"bench{megabytes}.war", {"index.html": "here", **ballast(megabytes)})


def seconds_until_all_answer(nodes: Sequence[Node], archive: Path, path: str) -> float:
    """Move the archive into the first node's watchDir and wait for the page on every node."""
    listen = nodes[0].base / "farm" / "listen"
    listen.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    os.replace(archive, listen / archive.name)
    waiting = list(nodes)
    while waiting:
        waiting = [node for node in waiting if not _says_here(node, path)]
        if time.monotonic() - begun > TIMEOUT:
            raise TimeoutError(f"{archive.name} does not answer on {[node.name for node in waiting]}")
        time.sleep(0.01)
    return time.monotonic() - begun


def _says_here(node: Node, path: str) -> bool:
    return node.get("/index.html" if isinstance(node, JavaTomcat) else "/", app=path, timeout=60).body == b"here"


def measure(
    nodes: Sequence[Node], make: Callable[[Path, int], Path], directory: Path, sizes: Sequence[int]
) -> dict[int, float]:
    """Start the nodes, farm one archive of each size, stop them."""
    found: dict[int, float] = {}
    try:
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_started()
        for size in sizes:
            archive = make(directory, size)
            found[size] = seconds_until_all_answer(nodes, archive, f"/bench{size}")
            print(f"  {nodes[0].name[:-1]:5} {size:4} MB {found[size]:7.2f} s", flush=True)
    finally:
        for node in nodes:
            node.close()
    return found


def our_nodes(directory: Path) -> list[Node]:
    port = free_udp_port()
    return [
        Node(f"ours{number}", directory / f"ours{number}", cluster=full(port, deployer=deployer(number == 1)))
        for number in (1, 2, 3)
    ]


def java_nodes(directory: Path) -> list[Node]:
    port, classes = free_udp_port(), compile_probe(directory / "classes")
    nodes: list[Node] = []
    for number in (1, 2, 3):
        node = JavaTomcat(
            f"java{number}", directory / f"java{number}", classes, full(port, deployer=deployer(number == 1))
        )
        (node.base / "conf/web.xml").write_text(WEB_XML)
        for name in ("farm/temp", "farm/listen"):
            (node.base / name).mkdir(parents=True)
        nodes.append(node)
    return nodes


def main(words: Sequence[str]) -> None:
    sizes = [int(word) for word in words] or [1, 20, 200]
    with tempfile.TemporaryDirectory(prefix="bench-farm-") as name:
        directory = Path(name)
        ours = measure(our_nodes(directory), make_our_archive, directory, sizes)
        java = measure(java_nodes(directory), make_java_archive, directory, sizes)
    print("\nseconds from the copy to the first answer on all three nodes")
    print("   MB     ours     Java   Java/ours")
    for size in sizes:
        print(f"{size:5} {ours[size]:8.2f} {java[size]:8.2f} {java[size] / ours[size]:8.1f}x")


if __name__ == "__main__":
    main(sys.argv[1:])
