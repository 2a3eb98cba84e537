"""Runs the nodes of one group for a test: real processes on this machine, which a test can kill, restart and cut
off.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from xml.sax.saxutils import quoteattr

from catalina.development.node_process import NodeProcess
from catalina.development.project import find_project
from catalina.development.trial_base import Meeting, TrialBase, free_port
from catalina.errors import CatalinaError
from catalina.testing.browser import Browser
from catalina.util.context_name import ContextName

__all__ = ["Group"]

#: Seconds for a step; a busy machine is no failure.
SECONDS = 120.0


class Group:
    """Two nodes or more that serve one application and replicate its sessions.

    Args:
        directory: an empty directory for the nodes' files.
        application: as for ``catalina run``: a directory, ``module:callable``, a .py file, a wheel, a zip.
        count: the number of nodes, which are called node1, node2 ...
        path: the context path.
        manager: ``DeltaManager`` or ``BackupManager``.
        options: channelSendOptions; with 6 an answer waits until the other nodes have the change.
        environment: variables of the nodes beyond those of the test.
        workers: the processes of each node that serve. With more than one, a keeper holds their sessions.
    """

    def __init__(
        self,
        directory: Path,
        application: str | Path = ".",
        count: int = 2,
        path: str = "/",
        manager: str = "DeltaManager",
        options: int = 6,
        environment: Mapping[str, str] | None = None,
        workers: int = 1,
    ) -> None:
        project = find_project(str(application), Path.cwd())
        self._path = ContextName.of_path(path, "").path
        self._outputs = contextlib.ExitStack()
        self.nodes: list[NodeProcess] = []
        meeting_port = Meeting().port
        for number in range(1, count + 1):
            base_directory = directory / f"node{number}"
            interceptor = _INTERCEPTOR.format(quoteattr(str(base_directory / "temp" / "partition")))
            meeting = Meeting(meeting_port, options, manager, interceptor)
            base = TrialBase(
                base_directory, project, self._path, free_port(), name=f"node{number}", meeting=meeting, workers=workers
            )
            base.write()
            output = self._outputs.enter_context((directory / f"node{number}.out").open("wb"))
            self.nodes.append(NodeProcess(base, environment, output))

    def __getitem__(self, key: int | str) -> NodeProcess:
        """A node by its number or its name."""
        if isinstance(key, int):
            return self.nodes[key]
        return next(node for node in self.nodes if node.name == key)

    def __iter__(self) -> Iterator[NodeProcess]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def output(self, node: int | str) -> str:
        """The output of a node: its log, and the application's output."""
        directory = self[node].base.directory
        return directory.with_name(f"{directory.name}.out").read_text(errors="replace")

    def browser(self) -> Browser:
        """A user with cookies of its own."""
        return Browser(self.nodes, self._path)

    # -- actions on nodes --------------------------------------------------------------------------------------------

    def start(self) -> Group:
        """Start the nodes that do not run; return when all serve and see each other.

        Raises:
            AssertionError: a node or the application does not start; the text has the node's output.
        """
        for node in self.nodes:
            if not node.runs:
                node.start()
        for node in self.nodes:
            self._wait_ready(node)
        self._wait_for_views(self._everybody)
        return self

    def kill(self, node: int | str) -> None:
        """``kill -9``."""
        self[node].kill()

    def revive(self, node: int | str) -> None:
        """Start a node that was killed or stopped; return when it serves and has its sessions back."""
        self[node].start()
        self._wait_ready(self[node])

    def partition(self, *sides: Iterable[str]) -> None:
        """Cut the group: ``partition(["node1"], ["node2", "node3"])``. Returns when each node sees only its side."""
        side_of = {name: frozenset(side) for side in map(list, sides) for name in side}
        for node in self.nodes:
            own = side_of.get(node.name, frozenset([node.name]))
            cut = [str(each.base.receiver) for each in self.nodes if each.name not in own]
            (node.base.directory / "temp" / "partition").write_text("\n".join(cut))
        self._wait_for_views(lambda node: side_of.get(node.name, frozenset([node.name])))

    def heal(self) -> None:
        """End the partition. Returns when all running nodes see each other; missed changes follow."""
        for node in self.nodes:
            (node.base.directory / "temp" / "partition").unlink(missing_ok=True)
        self._wait_for_views(self._everybody)

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Return when the condition is true. Raises AssertionError with ``what`` when it does not come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
            time.sleep(0.05)

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()
        self._outputs.close()

    # -- looking -----------------------------------------------------------------------------------------------------

    def _running(self) -> list[NodeProcess]:
        return [node for node in self.nodes if node.runs]

    def _everybody(self, _: NodeProcess) -> set[str]:
        return {node.name for node in self._running()}

    def _wait_ready(self, node: NodeProcess) -> None:
        try:
            failed = node.wait_ready(SECONDS)
        except CatalinaError as error:
            raise AssertionError(f"{error}\n{self.output(node.name)}") from error
        if failed:
            raise AssertionError("\n".join([*failed, self.output(node.name)]))

    def _wait_for_views(self, side: Callable[[NodeProcess], Iterable[str]]) -> None:
        """Wait until each running node sees exactly the running nodes of its side."""
        running = self._running()
        ports = {node.name: node.base.receiver for node in running}
        for node in running:
            wanted = {ports[name] for name in side(node) if name in ports and name != node.name}
            self.wait_until(partial(_sees, node, wanted), f"{node.name} sees the members at {sorted(wanted)}")


_INTERCEPTOR = '<Interceptor className="catalina.testing.partition_interceptor.PartitionInterceptor" file={}/>'


def _sees(node: NodeProcess, wanted: set[int]) -> bool:
    """True when a node's members are those whose receivers have these ports."""
    status = json.loads("\n".join(node.ask("status", json=True)))
    members = [member["name"] for cluster in status["clusters"] for member in cluster["members"]]
    return {int(name.rpartition(":")[2]) for name in members} == wanted
