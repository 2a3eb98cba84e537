"""Browsers of level 2, and their requests, each of which says at once when it is shown what must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalina.ha.session.delta_manager import DeltaManager
from tests.simulation.nodes import Life, SimRequest
from tests.simulation.promises import NAMES, Story, Write, number_in

if TYPE_CHECKING:
    from tests.simulation.managers import Run

__all__ = ["Client", "Request"]

PATIENCE_SECONDS = 10.0


class Client:
    """A browser.

    Args:
        busy: requests that are under way.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.cookie: str | None = None
        self.story: Story | None = None
        self.home = number
        self.busy = 0


class Request:
    """One request of a client, from its browser to a node and back."""

    def __init__(self, run: Run, client: Client, life: Life, operation: str, name: str, seconds: float) -> None:
        self.run, self.client, self.life, self.operation, self.name = run, client, life, operation, name
        self.seconds = seconds
        self.write: Write | None = None
        self.story: Story | None = None
        self.cookie = client.cookie
        self.asked_for = client.story
        self.ends = self.is_done = False
        #: Members that were to acknowledge what this request has done, and when that left.
        self.told: list[Life] = []
        self.told_at = 0.0
        self.replaced: str | None = None
        self.is_crowded = False
        self.new_cookie: str | None = None
        client.busy += 1
        run.counts["requests"] += 1
        run.world.after(0.001, lambda: life.run(self._arrived, is_input=False))
        run.world.after(PATIENCE_SECONDS, self._give_up)

    def _arrived(self) -> None:
        self.life.serve(self.cookie, self._application, self._answered, self._committed)

    def _application(self, request: SimRequest) -> None:
        session = request.get_session(False)
        if session is None:
            self._check_missing()
            session = request.get_session(True)
        found = self.run.by_bare_id.get(session.id.partition(".")[0])
        if found is None:
            found = Story(float(session.max_inactive_interval))
            self.run.stories.append(found)
            self.run.counts["sessions"] += 1
        elif found is not self.asked_for:
            self.run.broken(f"{self.cookie} leads to another session on {self.life}: {session.id}")
        self.story = story = found
        self._know_id(story, session.id)
        self._note_use(story)
        self._note_company(story.inside.setdefault(self.life, []))
        self._check_shown(story, session)
        if self.seconds:
            with self.life.reactor.blocking():  # a slow application: the loop goes on without it
                self.life.reactor.event().wait(self.seconds)
        if session.is_valid:
            self._operate(story, session, request)

    def _know_id(self, story: Story, session_id: str) -> None:
        story.ids[session_id] = None
        self.run.by_bare_id[session_id.partition(".")[0]] = story
        self.new_cookie = session_id

    def _note_use(self, story: Story) -> None:
        if story.last_used and self.run.plan.interval:
            story.was_idle = story.was_idle or self.run.is_idle(story)
        story.last_used = story.used_at[self.life] = self.run.world.now

    def _note_company(self, others: list[Request]) -> None:
        """Several requests that use a session on one node at the same time decide among themselves which value is set
        last.
        """
        for other in others:
            other.is_crowded = self.is_crowded = True
        others.append(self)

    def _check_missing(self) -> None:
        story = self.asked_for
        if self.cookie is None or story is None or story.ended or story.was_idle or self.life.is_java:
            return
        used = story.used_at.get(self.life, 0.0) if self.run.plan.interval else story.last_used
        if self.cookie.partition(".")[0] in story.replaced or self.run.world.now - used >= story.interval * 0.8:
            return
        self.run.counts["sessions not found"] += 1
        if self.run.plan.manager == "BackupManager" or self.life not in story.known_by[self.cookie.partition(".")[0]]:
            return  # its two holders may be out of reach
        for write in story.promised([self.life]):
            self.run.broken(f"{story} is not found on {self.life}, which had change {write.number} of {write.name!r}")

    def _check_shown(self, story: Story, session: Any) -> None:
        if self.life in story.end_holders and not self.life.is_java:
            self.run.broken(f"{story} was ended, and {self.life}, which knew, has it again")
        self.held = {name: session.get_attribute(name) for name in NAMES}
        self.shown = shown = {name: number_in(value) for name, value in self.held.items()}
        if self.run.plan.manager == "BackupManager":
            return  # two other nodes may have its values now, out of reach, and only an old copy is here
        for write in () if self.life.is_java else story.promised([self.life]):
            if not story.holds(shown, write):
                self.run.broken(
                    f"{story} on {self.life} shows {shown}, older than its change {write.number} of {write.name!r}"
                )

    def _operate(self, story: Story, session: Any, request: SimRequest) -> None:
        if session.is_new and self.operation == "end":
            return
        match self.operation:
            case "set" | "set mutable" | "inside":
                number = self._note_write(story, is_removal=False)
                self._set(session, f"<{number}>")
            case "remove":
                if self.shown[self.name] is not None:
                    self._note_write(story, is_removal=True)
                    session.remove_attribute(self.name)
            case "login":
                self.replaced = session.id.partition(".")[0]
                story.replaced.add(self.replaced)
                self._know_id(story, request.change_session_id())
            case "end":
                story.ended = self.ends = True
                session.invalidate()
                self.new_cookie = None

    def _set(self, session: Any, text: str) -> None:
        held = self.held[self.name]
        if self.operation == "inside" and isinstance(held, dict):
            held["n"] = text
        elif self.operation == "set":
            session.set_attribute(self.name, text)
        else:
            session.set_attribute(self.name, {"n": text})

    def _note_write(self, story: Story, is_removal: bool) -> int:
        parent = story.parent_of(self.name, self.shown[self.name], self.life)
        ancestors = frozenset() if parent is None else parent.ancestors | {parent.number}
        write = Write(self.run.next_number(), self.name, ancestors, is_removal)
        self.write = story.writes[self.name][write.number] = write
        return write.number

    def _committed(self) -> None:
        """The changes of the request have their versions, and the messages that tell them leave."""
        life = self.life
        silent = life.cluster.missed.silent
        self.told_at = life.world.now
        self.told = [
            other for other, member in life.channel.present.items()
            if other.alive and other.serves and member not in silent and self._is_known_at(other)
        ]  # fmt: skip
        if self.story is None:
            return
        self.story.inside[life].remove(self)
        if self.write is not None:
            self._note_version(self.story, self.write)

    def _is_known_at(self, other: Life) -> bool:
        """False where a change of the session is acknowledged with a question for the whole of it."""
        story, manager = self.story, other.manager
        if story is None or not isinstance(manager, DeltaManager):
            return True
        is_known = manager.ledger.addressed(next(reversed(story.ids))) is not None
        self.run.counts["acknowledged with a question"] += not is_known
        return is_known

    def _note_version(self, story: Story, write: Write) -> None:
        session = self.life.session(reversed(story.ids))
        numbers = story.numbers_at(self.life) or {}
        if session is None:
            return
        if numbers[write.name] == (None if write.is_removal else write.number):
            write.version = session.record.versions.get(write.name)
        elif not self.is_crowded:
            self.run.broken(f"{story} on {self.life} has {numbers} after change {write.number} of {write.name!r}")

    def _answered(self, missed: set[Life]) -> None:
        """Args: lives that a message did not reach since the request was through."""
        plan = self.run.plan
        if plan.manager == "DeltaManager" and plan.options == 6 and not plan.java and self.story is not None:
            for life in self.told:
                if life not in missed and life.alive and life in self.life.channel.present:
                    self._check_told(self.story, life)
        self.run.world.after(0.001, self._finish)

    def _check_told(self, story: Story, life: Life) -> None:
        """A node that has acknowledged a request's change has it; a node that is no member for a moment waits until it
        is one again."""
        write = self.write
        if life.knows_end(story.ids):
            return
        if self.ends and self.life in life.channel.present:
            self.run.broken(f"{life} acknowledged the end of {story}, and does not know it")
        session = self.life.session(reversed(story.ids))
        if write is None or write.version is None or session is None or story.is_at(life, write):
            return
        if self.life not in life.channel.present:
            self.run.counts["acknowledged to a stranger"] += 1
        else:
            self.run.broken(f"{life} acknowledged change {write.number} of {write.name!r} of {story}, and has it not")

    def _finish(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        self.client.busy -= 1
        story = self.story
        if story is None:
            return
        self.client.cookie = self.new_cookie
        self.client.story = None if self.new_cookie is None else story
        serving = [life for life in self.run.alive if life.serves]
        if self.write is not None:
            self.write.is_promised = True
            self.write.holders = {life for life in serving if story.is_at(life, self.write)}
        if self.ends:
            story.end_holders = {self.life, *(life for life in serving if life.knows_end(story.ids))}
        elif self.new_cookie is not None:
            if self.replaced is not None:
                story.replaced_at[self.replaced] = {life for life in serving if life.knows_replaced(self.replaced)}
            bare = self.new_cookie.partition(".")[0]
            known = {life for life in serving if life.session([self.new_cookie]) is not None}
            story.known_by.setdefault(bare, set()).update(known)

    def _give_up(self) -> None:
        """No answer: what the request has done is not known, and the next node is tried."""
        if not self.is_done:
            self.is_done = True
            self.client.busy -= 1
            self.client.home += 1
            self.run.counts["requests without an answer"] += 1
