"""Looks at a group once a second while somebody watches it, once for all watchers."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from catalina.ha.tcp.live_facts import MAX_SHARE
from catalina.ha.tcp.node_facts import WATCHED
from catalina.manager.cluster.picture import GroupPicture, Seen
from catalina.manager.cluster.view import event_stream_frame, live_part
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member

__all__ = ["ClusterWatch", "TooManyWatchers"]

log = logging.getLogger("org.apache.catalina.manager.ClusterManagerServlet")

#: Seconds between two looks, at least, and for which a member's answer is waited for. The picture of a large group
#: takes longer to make and comes less often, so that it never takes more than :data:`MAX_SHARE` of a processor.
LOOK_SECONDS, ASK_SECONDS = 1.0, 0.9
#: Seconds for which a look counts as new for a page that is shown once.
FRESH_SECONDS = 1.5
#: Watchers at the same time: each holds a thread.
MAX_WATCHERS = 8


class TooManyWatchers(Exception):
    """There are :data:`MAX_WATCHERS` already."""


class ClusterWatch:
    """One for each cluster (:meth:`of`).

    There is one picture for all watchers and no queue for any of them: a slow reader gets the newest picture when it is
    ready for one, with the events that have come meanwhile.
    """

    _all: weakref.WeakKeyDictionary[SimpleTcpCluster, ClusterWatch] = weakref.WeakKeyDictionary()
    _making = threading.Lock()

    def __init__(self, cluster: SimpleTcpCluster) -> None:
        self._cluster = weakref.ref(cluster)
        self.picture = GroupPicture(cluster.name)
        self._changed = threading.Condition()
        self._look_now = threading.Event()
        self._looking = threading.Lock()
        self._number = 0
        self._frame = b""
        self._looked = 0.0
        self._pause = LOOK_SECONDS
        self._watchers = 0
        self._runs = False

    @classmethod
    def of(cls, cluster: SimpleTcpCluster) -> ClusterWatch:
        """The watch of a cluster, made when it is first asked for."""
        with cls._making:
            found = cls._all.get(cluster)
            if found is None:
                found = cls._all[cluster] = cls(cluster)
            return found

    @property
    def watchers(self) -> int:
        """The number of watchers now."""
        return self._watchers

    def current(self) -> GroupPicture:
        """The present picture, for a caller that looks once. Waits for the members' answers."""
        if time.monotonic() - self._looked > FRESH_SECONDS:
            self._look()
        return self.picture

    def note(self, text: str) -> None:
        """Show all watchers an event."""
        with self._looking:
            self.picture.note(text, time.time())
            self._looked = 0.0
        self._look_now.set()

    def enter(self, most: int = MAX_WATCHERS) -> None:
        """Add a watcher, until :meth:`leave`. Raises TooManyWatchers when there are ``most``, or MAX_WATCHERS."""
        with self._changed:
            if self._watchers >= min(MAX_WATCHERS, most):
                raise TooManyWatchers
            self._watchers += 1
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="cluster-watch", daemon=True).start()

    def leave(self) -> None:
        """Remove a watcher."""
        with self._changed:
            self._watchers -= 1
            self._changed.notify_all()

    def frames(self, ended: Callable[[], bool]) -> Iterator[bytes]:
        """The group as an event of a stream whenever it was looked at; between :meth:`enter` and :meth:`leave`.

        Args:
            ended: looked at about once a second.
        """
        last = self._number
        while True:
            number = self._await_other(last)
            if number != last:
                yield self._frame
            last = number
            if ended():
                return

    def _await_other(self, last: int) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._number != last, LOOK_SECONDS)
            return self._number

    # ---- looking

    def _run(self) -> None:
        cluster = self._cluster()
        try:
            if cluster is not None and cluster.channel is not None:
                cluster.channel.add_membership_listener(self)
            while self._look() and self._goes_on():
                self._look_now.wait(self._pause)
                self._look_now.clear()
        except Exception:
            log.exception("The cluster %s cannot be watched", self.picture.name)
            with self._changed:
                self._runs = False
        finally:
            if cluster is not None and cluster.channel is not None:
                cluster.channel.remove_membership_listener(self)

    def _goes_on(self) -> bool:
        with self._changed:
            self._runs = self._watchers > 0
            return self._runs

    def member_added(self, member: Member) -> None:
        """Look at once."""
        self._look_now.set()

    def member_disappeared(self, member: Member) -> None:
        """Look at once."""
        self._look_now.set()

    def _look(self) -> bool:
        """Look at the group; returns False when there is no cluster any more."""
        cluster = self._cluster()
        if cluster is None:
            return False
        with self._looking:
            seen = _seen(cluster)
            began = time.thread_time()
            self.picture.update(seen, time.time())
            self._looked = time.monotonic()
            if self._watchers:  # made once for all of them
                guarded = cluster.channel is not None and cluster.channel.is_guarded
                self._frame = event_stream_frame(live_part(self.picture, guarded))
            self._pause = max(LOOK_SECONDS, (time.thread_time() - began) / MAX_SHARE)
        with self._changed:
            self._number += 1
            self._changed.notify_all()
        return True


def _seen(cluster: SimpleTcpCluster) -> list[Seen]:
    local = cluster.local_member if cluster.state.available else None
    if local is None or cluster.channel is None:
        return []
    service: Any = cluster.channel.membership_service
    found = [Seen(local, True, cluster.facts.live.own())]
    members = cluster.members
    for answer in cluster.facts.ask([each for each in members if keeps_order(each)], ASK_SECONDS, WATCHED):
        silence = service.silence_of(answer.member)
        found.append(Seen(answer.member, False, answer.live, answer.offset, answer.accuracy, silence))
    # One of Java has no such questions.
    found += [Seen(each, False, silence=service.silence_of(each)) for each in members if not keeps_order(each)]
    return found
