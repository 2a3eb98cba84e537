"""Deploys an archive from one node to all (Tomcat: ha/deploy/FarmWarDeployer.java).

The node that watches copies a new or changed archive from ``watchDir`` to ``deployDir`` and runs it. If it runs, the
node sends it to the members. A removed archive is undeployed everywhere. The messages are Java's FileMessage and
UndeployMessage, so Java nodes take part. Python nodes guarantee more to each other: every piece is acknowledged before
many more follow, the file is checked by SHA-256, the newer of two files with one name wins on every node, and a member
that appears is offered everything that it may have missed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from catalina.attributes import Attribute
from catalina.core.standard_host import StandardHost
from catalina.deploy.archive import is_archive_name, read_archive
from catalina.deploy.directory_watcher import DirectoryWatcher
from catalina.deploy.removal import remove
from catalina.deploy.settling import Settling, Stamp, stamp_of
from catalina.errors import CatalinaError, ConfigurationError, DeploymentError
from catalina.ha.cluster_listener import ClusterListener
from catalina.ha.deploy.farm_directory import FarmDirectory
from catalina.ha.deploy.farm_inbox import FarmInbox, Received
from catalina.ha.deploy.farm_introductions import FarmIntroductions, FarmTrial
from catalina.ha.deploy.farm_rollouts import FarmRollouts
from catalina.ha.deploy.farm_sender import FarmSender
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.farm_worker import FarmWorker
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import FarmFile, sha256_of
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from catalina.lifecycle import LifecycleEvent
    from catalina.tribes.member import Member

__all__ = ["FarmWarDeployer", "WarWatcher"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

_STATE_FILE = "farm-state.json"
#: The meaning of watchEnabled="false"; the start and configtest report it.
NOT_WATCHING = (
    'watchEnabled="false": this node runs what others farm and farms nothing itself. On the node that archives are '
    'copied to, set watchEnabled="true" and watchDir.'
)
#: Seconds within which a withdrawn application must be gone here.
WITHDRAW_SECONDS = 120.0


class FarmOutcome(NamedTuple):
    """How a deployment from watchDir ended.

    Args:
        at: monotonic seconds, so that two outcomes differ.
        good: the application runs here.
        text: the answer for the person who asked.
    """

    at: float
    good: bool
    text: str


class FarmWarDeployer(ClusterListener):
    """The ``<Deployer>`` of a Host's cluster.

    ``progress`` reports the transfers. The channel's thread only writes pieces to disk; sending and installing have one
    thread each.
    """

    temp_dir = Attribute(
        str,
        None,
        doc="Where pieces are collected and the farm's state is kept, in a directory of the node; temp/farm of "
        "CATALINA_BASE if not given. Several nodes may share it.",
    )
    deploy_dir = Attribute(
        str, None, doc="Where archives are put to run; must be the host's appBase, which it is if not given."
    )
    watch_dir = Attribute(str, None, doc="Archives in it are deployed on every node. Only with watchEnabled.")
    watch_enabled = Attribute(bool, False, doc="Watch watchDir; on one node of the farm, usually.")
    process_deploy_frequency = Attribute(
        int, 2, doc="Background ticks between two looks at watchDir; a change is also seen at once where inotify works."
    )
    max_valid_time = Attribute(
        int, 300, unit="seconds", doc="A transfer with nothing new for so long is dropped; negative: never."
    )
    max_war_size = Attribute(
        int, 2 * 2**30, unit="bytes", doc="Larger archives are neither sent nor taken. Bounds tempDir, too."
    )

    def __init__(self, surroundings: Surroundings = PROCESS, **values: Any) -> None:
        super().__init__(**values)
        self._surroundings = surroundings
        self._monotonic = surroundings.monotonic
        self._started = False
        self._ticks = 0
        self._watcher: DirectoryWatcher | None = None
        self._outcomes: dict[str, FarmOutcome] = {}

    # -- start and stop: the cluster calls these -------------------------------------------------------------------

    def start(self) -> None:
        """Listen to the farm, and watch watchDir if that is enabled.

        Raises:
            ConfigurationError: watchDir is deployDir or lies inside it, or a directory cannot be made.
        """
        cluster = self.cluster
        host = cluster.container if cluster is not None else None
        if self._started or cluster is None or host is None:
            return
        if not isinstance(host, StandardHost):
            log.error("FarmWarDeployer can only work as host cluster subelement!")
            return
        self._host = host
        self._tell_what_the_values_mean()
        self._make_directories(os.path.abspath(host.catalina_base))
        self.state = FarmState(os.path.join(self._temp, _STATE_FILE))
        self.inbox = FarmInbox(self._temp, self.max_war_size, self.max_valid_time)
        self.sender = FarmSender(cluster, self.directory, self.state, f"{host.name}-farm-send", self._surroundings)
        self._installer = FarmWorker(f"{host.name}-farm-install", lambda: host.state.available, self._surroundings)
        self.rollouts = FarmRollouts(
            self.directory, self.state, self.sender, self._temp, self._members, self._now_ms, self._monotonic,
            lambda name, why: self._ended(name, False, why),
        )  # fmt: skip
        self.introductions = FarmIntroductions(
            self.sender, self.state, self._lacks, self._removed, self.rollouts.heard, self._installer.submit,
            self._monotonic,
        )  # fmt: skip
        self._started = True
        cluster.add_cluster_listener(self)
        if cluster.channel is not None:
            cluster.channel.add_channel_listener(self.introductions)
            cluster.channel.add_membership_listener(self.introductions)
            self.introductions.greet(cluster.channel.members)
        host.add_lifecycle_listener(self._host_event)
        if self.watch_enabled:
            self._start_watching()
        log.info("Cluster FarmWarDeployer started.")

    def _make_directories(self, base: str) -> None:
        app_base = os.path.abspath(self._host.app_base_path)
        self.directory = FarmDirectory(self._host, os.path.join(base, self.deploy_dir or app_base))
        self._temp = os.path.join(base, self.temp_dir or os.path.join("temp", "farm"), self._node_name(base))
        wanted = [self.directory.path, self._temp]
        if self.watch_enabled:
            if not self.watch_dir:
                raise ConfigurationError("FarmWarDeployer: watchEnabled needs a watchDir", self.place)
            self._watch = os.path.join(base, self.watch_dir)
            if _is_in(self._watch, self.directory.path):
                raise ConfigurationError(
                    f"FarmWarDeployer: watchDir [{self._watch}] must not be deployDir [{self.directory.path}] "
                    "or lie in it",
                    self.place,
                )
            wanted.append(self._watch)
        for directory in wanted:
            try:
                os.makedirs(directory, exist_ok=True)
            except OSError as exc:
                raise ConfigurationError(f"FarmWarDeployer: [{directory}]: {exc.strerror}", self.place) from exc

    def _node_name(self, base: str) -> str:
        """A name that tells this node from others with the same tempDir: its route or machine, and a digest of its
        base.
        """
        engine = self._host.parent
        route = self._host.jvm_route_of_engine or socket.gethostname()
        digest = hashlib.sha256("\0".join((os.path.realpath(base), str(engine), self._host.name, route)).encode())
        return f"{re.sub('[^A-Za-z0-9._-]', '_', route)[:64]}-{digest.hexdigest()[:8]}"

    def configuration_remarks(self) -> Iterator[str]:
        """One line for each setting that does less, or more, than its element promises, with a remedy."""
        cluster = self.cluster
        host = cluster.container if cluster is not None else None
        if cluster is None or not isinstance(host, StandardHost):
            return
        base, app_base = os.path.abspath(host.catalina_base), os.path.abspath(host.app_base_path)
        deploy_dir = os.path.join(base, self.deploy_dir or app_base)
        if os.path.realpath(deploy_dir) != os.path.realpath(app_base):
            yield (
                f"deployDir [{deploy_dir}] is not the appBase [{app_base}] of the host: what the farm puts there does "
                f'not run. Set deployDir="{host.app_base}", or leave it out.'
            )
        if cluster.channel is None or not cluster.channel.is_guarded:
            yield (
                "The farm runs code that other nodes send, and the channel does not make sure that they are of this "
                'cluster: whoever reaches the receiver\'s port can pass for a member. Set secure="true", pskIdentity '
                "and pskKey on the Channel, or keep everybody else out of its network."
            )

    def _tell_what_the_values_mean(self) -> None:
        for remark in self.configuration_remarks():
            log.warning("%s", remark)
        if not self.watch_enabled:
            log.info(NOT_WATCHING)

    def _start_watching(self) -> None:
        self._wars = WarWatcher(self._watch)
        self._watcher = DirectoryWatcher(self.look, f"{self._host.name}-farm-watch")
        self._watcher.start()
        self._watcher.watch([self._watch])

    def _host_event(self, event: LifecycleEvent) -> None:
        if event.type == "after_start":
            self._installer.wake()
            self.look()

    def stop(self) -> None:
        """Stop watching, listening, sending and installing."""
        cluster = self.cluster
        if not self._started or cluster is None:
            return
        self._started = False
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        cluster.remove_cluster_listener(self)
        self.cluster = cluster  # the cluster starts its deployer again when it is started again
        if cluster.channel is not None:
            cluster.channel.remove_channel_listener(self.introductions)
            cluster.channel.remove_membership_listener(self.introductions)
        self._host.remove_lifecycle_listener(self._host_event)
        self.sender.stop()
        self._installer.stop()
        self.inbox.discard_all()
        log.info("Cluster FarmWarDeployer stopped.")

    def background_process(self) -> None:
        """The host's tick: look at watchDir now and then, and drop stalled transfers."""
        if not self._started:
            return
        for received in self.inbox.sweep(self._monotonic()):
            self._installer.submit(partial(self._install_received, received))
        self.introductions.look(self._members())
        if self.rollouts.is_trying:
            self._installer.submit(self.rollouts.look)
        self._ticks += 1
        if self._ticks % max(1, self.process_deploy_frequency) == 0:
            self.look()

    @property
    def is_started(self) -> bool:
        """True while this node takes part in the farm."""
        return self._started

    # -- progress ---------------------------------------------------------------------------------------------------

    @property
    def progress(self) -> str:
        """One line for each transfer under way, outgoing and incoming: percent, bytes, members done."""
        if not self._started:
            return ""
        outgoing = [f"sending {transfer}" for transfer in list(self.sender.transfers)]
        return "\n".join(outgoing + [f"receiving {line}" for line in self.inbox.progress()])

    def completed(self, name: str) -> FarmOutcome | None:
        """The outcome of the latest deployment from watchDir; None before the first."""
        return self._outcomes.get(name)

    def bytes_under_way(self, name: str) -> tuple[int, int]:
        """Bytes sent, and bytes in all, of a file on its way to the members; zeros when there is none."""
        for transfer in list(self.sender.transfers):
            if transfer.file.name == name:
                return transfer.sent_bytes, transfer.file.size
        return 0, 0

    def put(self, source: str, name: str) -> None:
        """Move a file into watchDir in one step, as an operator's copy would. Raises OSError, DeploymentError."""
        checked_name(name, "archive", "catalina deploy")
        staged = os.path.join(self._watch, f".{name}")
        shutil.move(source, staged)
        os.replace(staged, os.path.join(self._watch, name))
        self.look()

    def is_farmed(self, context: str) -> bool:
        """True when the farm has deployed an application."""
        return self._started and any(file.context == context for file in self.state.files)

    def withdraw(self, context: str) -> str:
        """Undeploy an application of the farm on all nodes at an operator's request; waits until it is gone here.

        If the application was farmed from this node, its archive is also removed from watchDir.

        Returns:
            The answer for the operator.

        Raises:
            DeploymentError: the farm has no such application, or the removal takes too long.
        """
        if not self.is_farmed(context):
            raise DeploymentError(f"[{context or '/'}] is no application of the farm")
        done = threading.Event()
        self._installer.submit(partial(self._withdraw, context, done))
        if not done.wait(WITHDRAW_SECONDS):
            raise DeploymentError(f"[{context or '/'}] is still there after {WITHDRAW_SECONDS:.0f} s; the log says why")
        members = len(self._members())
        return f"undeployed [{context or '/'}] here and told {members} members"

    def _withdraw(self, context: str, done: threading.Event) -> None:
        for file in [each for each in self.state.files if each.context == context]:
            if self.watch_enabled and file.name in self.state.own:
                remove(os.path.join(self._watch, file.name), self._watch)
            self._gone(file)
        done.set()

    def _ended(self, name: str, good: bool, text: str) -> None:
        self._outcomes[name] = FarmOutcome(self._monotonic(), good, text)

    # -- watching: in the installing thread ------------------------------------------------------------------------

    def look(self) -> None:
        """Handle the changes in watchDir. Any thread; never waits."""
        if self._started and self.watch_enabled:
            self._installer.submit(self._look)

    def _look(self) -> None:
        for name in self._wars.look():
            self._changed(name)
        own = self.state.own
        for file in self.state.files:
            if file.name in own and self._wars.is_gone(file.name):
                self._gone(file)
        if self._wars.unsettled and self._watcher is not None:
            self._watcher.look_again(self._wars.settling.quiet)

    def _changed(self, name: str) -> None:
        """An archive is new or has changed: run it here and, if it runs, on the members."""
        path = os.path.join(self._watch, name)
        try:
            checked_name(name, "archive", self._watch)
            archive = read_archive(path)
            size = os.path.getsize(path)
            if size > self.max_war_size:
                raise DeploymentError(f"{path}: {size} bytes, maxWarSize is {self.max_war_size}")
            file = FarmFile(name, archive.name.name, size, sha256_of(path), self._changed_ms(path))
            if not self.state.is_news(file):
                log.info("[%s] is not newer than what the farm has", path)
                self._ended(name, True, "is not newer than what the farm has")
                return
            if not self.directory.has(file):
                self.rollouts.prepare(file)
                if not self.directory.install(path, file, archive.name, keep_source=True):
                    self.rollouts.give_up(file)
                    why = self.directory.why_not(archive.name.name)
                    log.error("[%s] does not run here, so it is not sent to the other members: %s", path, why)
                    self._ended(name, False, f"does not start: {why}")
                    return
        except (OSError, CatalinaError) as error:
            log.error("Error installing [%s] into the farm: %s", path, error)
            self._ended(name, False, str(error))
            return
        self.state.put(file, own=True)
        members = self._members()
        self.rollouts.begin(file, members)
        self.sender.submit_file(file, members, lambda text: self._ended(name, True, text))

    def _changed_ms(self, path: str) -> int:
        """The time at which a file came to its place."""
        return os.stat(path).st_ctime_ns // 1_000_000

    def _gone(self, file: FarmFile) -> None:
        """An archive was removed: undeploy it here and everywhere."""
        removal = Removal(file.context, max(self._now_ms(), file.stamp_ms + 1))
        if self.state.remove(removal):
            self.directory.remove(file.context)
            log.info("Cluster wide remove of web app [%s]", file.context)
            self.sender.submit_removal(removal, self._members())

    def _now_ms(self) -> int:
        return int(self._surroundings.wall() * 1000)

    def _members(self) -> Sequence[Member]:
        return self.cluster.members if self.cluster is not None else ()

    # -- receiving -----------------------------------------------------------------------------------------------

    def accept(self, message: object) -> bool:
        """Pieces of files, and removals."""
        return isinstance(message, FileMessage | UndeployMessage)

    def message_received(self, message: Any, sender: Member) -> None:
        """Write a piece to disk; another thread installs a complete file."""
        if isinstance(message, UndeployMessage):
            stamp = message.timestamp_ms or self._now_ms()
            self._installer.submit(partial(self._removed, Removal(message.context_name, stamp)))
            return
        try:
            received = self.inbox.take(message, sender, self._monotonic())
        except (OSError, CatalinaError) as error:
            log.error("Piece of [%s] from %s refused: %s", message.file_name[:200], sender.name, error)
            return
        if received is not None:
            self._installer.submit(partial(self._install_received, received))

    def _install_received(self, received: Received) -> None:
        """A file is complete: run it unless a newer version is here."""
        try:
            received.check()
            file, context = received.file(), read_archive(received.path).name
            why = ""
            if not self.state.is_news(file):
                log.info("[%s] from the farm is not newer than what is here", file.name)
            elif self.directory.has(file) or self.directory.install(received.path, file, context, keep_source=False):
                self.state.put(file)
            else:
                why = self.directory.why_not(context.name)
                log.error("[%s] from the farm does not run here: %s", file.name, why)
            if received.sender is not None:
                self.sender.submit_bytes(FarmTrial(file, why).encode(), received.sender)
        except (OSError, CatalinaError) as error:
            log.error("[%s] from the farm cannot be installed: %s", received.name, error)
        finally:
            received.discard()

    def _lacks(self, file: FarmFile) -> bool:
        """True when this node wants an offered file; it does not want one that it already has under an older stamp."""
        if not self.state.is_news(file) or self.inbox.is_arriving(file.name, self._monotonic()):
            return False
        if not self.directory.has(file):
            return True
        self.state.put(file)
        return False

    def _removed(self, removal: Removal) -> None:
        if self.state.remove(removal):
            self.directory.remove(removal.context)


def _is_in(path: str, directory: str) -> bool:
    return os.path.join(os.path.realpath(path), "").startswith(os.path.join(os.path.realpath(directory), ""))


class WarWatcher:
    """Compares the archives in a directory with those of the last look; half-copied ones are left for later (Tomcat:
    ha/deploy/WarWatcher.java).

    Args:
        directory: the watched directory.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.settling = Settling()
        #: An archive is still being copied, so look again soon.
        self.unsettled = False
        self._known: dict[str, Stamp] = {}
        self._gone_since: dict[str, float] = {}

    def look(self) -> list[str]:
        """Names of archives that are new or changed since the last look."""
        self.unsettled = False
        present = self._present()
        changed = [name for name in present if self._has_changed(name)]
        for name in self._known.keys() - set(present):
            del self._known[name]
        return changed

    def is_gone(self, name: str) -> bool:
        """True when a file that this node has farmed, perhaps before its last start, is no longer here."""
        if not os.path.isdir(self.directory) or os.path.lexists(os.path.join(self.directory, name)):
            self._gone_since.pop(name, None)
            return False
        if time.monotonic() - self._gone_since.setdefault(name, time.monotonic()) < self.settling.quiet:
            self.unsettled = True  # an editor that saves also removes the file for a moment
            return False
        del self._gone_since[name]
        return True

    def _present(self) -> list[str]:
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if is_archive_name(name) and not name.startswith("."))

    def _has_changed(self, name: str) -> bool:
        path = os.path.join(self.directory, name)
        stamp = stamp_of(path)
        if stamp is None or (name in self._known and self._known[name] == stamp):
            return False
        if not self.settling.is_complete(path, time.monotonic(), time.time()):
            self.unsettled = True
            return False
        self._known[name] = stamp
        return True
