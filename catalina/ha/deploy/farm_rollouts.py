"""Takes a version back from the whole farm when it does not start on one of its nodes.

The node that farms an archive keeps the one before it, until every member has said that it has tried the new one. As
soon as one says that it does not start there, the node farms the earlier one again, with a newer stamp. So the earlier
one counts on every node, and for members that join later; the new one, which may still lie in watchDir, does not. A
version beside which an earlier one runs (``shop##2.war``) is removed instead.

A node on which a version was not tried at all (its operator has an application of that name, its disk is full) says so
in its own log, and changes nothing for the others.
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from catalina.deploy.archive import read_archive
from catalina.deploy.removal import remove
from catalina.errors import CatalinaError
from catalina.ha.deploy.farm_introductions import FarmReturn, FarmTrial
from catalina.ha.deploy.farm_state import Removal

if TYPE_CHECKING:
    from catalina.ha.deploy.farm_directory import FarmDirectory
    from catalina.ha.deploy.farm_sender import FarmSender
    from catalina.ha.deploy.farm_state import FarmState
    from catalina.ha.deploy.file_message_factory import FarmFile
    from catalina.tribes.member import Member

__all__ = ["FarmRollouts"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Seconds for which members may install packages, start the application and ask its healthPath.
TRIAL_SECONDS = 1800.0
_PREFIX = "previous-"


@dataclass(slots=True)
class _Rollout:
    """A version that this node has farmed.

    Args:
        file: the version.
        previous: the version before it; None for the first.
        kept: the directory with the archive of that one.
        waiting: the members that have not said yet that they have tried it.
        until: monotonic seconds; then nobody is waited for.
    """

    file: FarmFile
    previous: FarmFile | None
    kept: str | None
    waiting: set[Member] = field(default_factory=set)
    until: float = 0.0


class FarmRollouts:
    """The versions that are being tried. The installing thread calls its methods.

    Args:
        temp: the farm's temporary directory; leftovers of an earlier run are removed.
        members: the present ones.
        now_ms: the wall clock.
        ended: hears how a farmed version has ended after all: its name, and the reason.
    """

    def __init__(
        self,
        directory: FarmDirectory,
        state: FarmState,
        sender: FarmSender,
        temp: str,
        members: Callable[[], Sequence[Member]],
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        ended: Callable[[str, str], None],
    ) -> None:
        self._directory = directory
        self._state = state
        self._sender = sender
        self._temp = temp
        self._members = members
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._ended = ended
        self._rollouts: dict[str, _Rollout] = {}
        for name in os.listdir(temp):
            if name.startswith(_PREFIX):
                remove(os.path.join(temp, name), temp)

    @property
    def is_trying(self) -> bool:
        """True while members are trying a version. Any thread."""
        return bool(self._rollouts)

    @property
    def under_way(self) -> list[str]:
        """Names of the archives that members are trying."""
        return sorted(self._rollouts)

    def prepare(self, file: FarmFile) -> None:
        """Keep the present version, before a new one takes its place here. Raises OSError."""
        self._end(file.name)
        place = self._directory.place(file.name)
        known = next((each for each in self._state.files if each.name == file.name), None)
        if known is None or not self._directory.has(known):
            self._rollouts[file.name] = _Rollout(file, None, None)
            return
        kept = os.path.join(self._temp, f"{_PREFIX}{uuid.uuid4().hex}")
        os.mkdir(kept, 0o700)
        shutil.copyfile(place, os.path.join(kept, file.name))
        self._rollouts[file.name] = _Rollout(file, known, kept)

    def begin(self, file: FarmFile, members: Iterable[Member]) -> None:
        """The version runs here, and is sent to members."""
        rollout = self._rollouts.get(file.name)
        if rollout is None or rollout.file != file:
            return
        rollout.waiting = set(members)
        rollout.until = self._monotonic() + TRIAL_SECONDS
        self._end_if_tried(rollout)

    def give_up(self, file: FarmFile) -> None:
        """The version does not run here, and is sent to nobody."""
        self._end(file.name)

    def heard(self, trial: FarmTrial, sender: Member) -> None:
        """A member has tried a version that this node has sent to it."""
        rollout = self._rollouts.get(trial.file.name)
        if rollout is not None and rollout.file == trial.file and sender in rollout.waiting:
            rollout.waiting.discard(sender)
            if trial.why:
                self._go_back(rollout, f"it does not start on {sender.name}: {trial.why}")
            else:
                self._end_if_tried(rollout)
        elif trial.why:
            log.error("[%s] does not start on %s: %s", trial.file.name, sender.name, trial.why)

    def _go_back(self, rollout: _Rollout, why: str) -> None:
        file = rollout.file
        text = f"every node goes back to the version before it, as {why}"
        stamp_ms = max(self._now_ms(), file.stamp_ms + 1)
        try:
            if rollout.previous is not None and rollout.kept is not None:
                log.error("[%s]: %s", file.name, text)
                again = replace(rollout.previous, stamp_ms=stamp_ms)
                self._run_again(again, os.path.join(rollout.kept, file.name), text)
            elif self._has_another_version(file):
                log.error("[%s]: %s", file.name, text)
                self._take_away(file, Removal(file.context, stamp_ms), text)
            else:
                text = f"there is no version before it to go back to, and {why}"
                log.error("[%s]: %s", file.name, text)
            self._ended(file.name, text)
        except (OSError, CatalinaError) as error:
            log.error("[%s]: the farm cannot go back to the version before it: %s", file.name, error)
        finally:
            self._end(file.name)

    def _run_again(self, file: FarmFile, kept: str, text: str) -> None:
        """Farm an earlier archive anew."""
        if not self._directory.install(kept, file, read_archive(kept).name, keep_source=True):
            log.error("[%s]: the version before it does not start here, either: %s",
                      file.name, self._directory.why_not(file.context))  # fmt: skip
            return
        self._state.put(file, own=file.name in self._state.own)
        members = self._tell(file, text)
        self._sender.submit_file(file, members)

    def _take_away(self, file: FarmFile, removal: Removal, text: str) -> None:
        """Remove a version beside which an earlier one runs."""
        if self._state.remove(removal):
            self._directory.remove(removal.context)
            self._sender.submit_removal(removal, self._tell(file, text))

    def _tell(self, file: FarmFile, text: str) -> Sequence[Member]:
        members = self._members()
        for member in members:
            self._sender.submit_bytes(FarmReturn(file.name, text).encode(), member)
        return members

    def _has_another_version(self, file: FarmFile) -> bool:
        path = file.context.partition("##")[0]
        others = (each for each in self._state.files if each.context != file.context)
        return any(each.context.partition("##")[0] == path and self._directory.has(each) for each in others)

    def look(self) -> None:
        """Wait no more for members that have gone, or for too long. A Java node never answers."""
        present, now = set(self._members()), self._monotonic()
        for rollout in list(self._rollouts.values()):
            if rollout.until:
                rollout.waiting &= present
                if now > rollout.until:
                    rollout.waiting.clear()
                self._end_if_tried(rollout)

    def _end_if_tried(self, rollout: _Rollout) -> None:
        if not rollout.waiting:
            self._end(rollout.file.name)

    def _end(self, name: str) -> None:
        rollout = self._rollouts.pop(name, None)
        if rollout is not None and rollout.kept is not None:
            remove(rollout.kept, self._temp)
