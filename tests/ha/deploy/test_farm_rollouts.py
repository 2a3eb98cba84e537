"""A version that does not start on one node is taken back from all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalina.deploy.archive import read_archive
from catalina.ha.deploy import farm_rollouts
from catalina.ha.deploy.farm_directory import FarmDirectory
from catalina.ha.deploy.farm_introductions import FarmReturn, FarmTrial, decode_farm_message
from catalina.ha.deploy.farm_rollouts import FarmRollouts
from catalina.ha.deploy.farm_sender import FarmSender
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.file_message_factory import FarmFile, sha256_of
from catalina.tribes.member import Member
from tests.deploy.archives import hello, make_zip
from tests.ha.deploy.farm import member
from tests.support.stand_in import stand_in

ONE, TWO = member(1), member(2)


class Farm:
    """The node that farms, without a network and without applications: an archive runs if it is not told otherwise."""

    def __init__(self, directory: Path) -> None:
        self.run, self.temp, self.watched = directory / "run", directory / "temp", directory / "watched"
        for each in (self.run, self.temp, self.watched):
            each.mkdir(exist_ok=True)
        self.state = FarmState()
        self.running: dict[str, str] = {}
        self.starts = True
        self.now = 0.0
        self.members: list[Member] = [ONE, TWO]
        self.files: list[tuple[FarmFile, Sequence[Member]]] = []
        self.removals: list[Removal] = []
        self.said: list[FarmReturn] = []
        self.ended: list[tuple[str, str]] = []
        self.rollouts = FarmRollouts(
            stand_in(FarmDirectory, place=lambda name: str(self.run / name), has=self._has, install=self._install,
                     remove=self._remove, why_not=lambda _: "it is broken"),
            self.state,
            stand_in(FarmSender, submit_bytes=self._say, submit_removal=lambda each, _: self.removals.append(each),
                     submit_file=lambda file, members: self.files.append((file, members))),
            str(self.temp), lambda: self.members, lambda: 1_000, lambda: self.now,
            lambda name, why: self.ended.append((name, why)),
        )  # fmt: skip

    def _has(self, file: FarmFile) -> bool:
        path = self.run / file.name
        return path.exists() and sha256_of(str(path)) == file.sha256

    def _install(self, source: str, file: FarmFile, context: object, keep_source: bool) -> bool:
        assert keep_source
        if self.starts:
            (self.run / file.name).write_bytes(Path(source).read_bytes())
        return self.starts

    def _remove(self, context: str) -> None:
        for file in self.run.iterdir():
            if read_archive(str(file)).name.name == context:
                file.unlink()

    def _say(self, data: bytes, to: Member) -> None:
        message = decode_farm_message(data)
        assert isinstance(message, FarmReturn)
        self.said.append(message)

    def farm(self, text: str, stamp: int, name: str = "a.zip") -> FarmFile:
        """Farm a version, as the deployer does with one that runs here."""
        path = make_zip(self.watched / name, {"wsgi.py": hello(text)})
        digest, context = sha256_of(str(path)), read_archive(str(path)).name
        file = FarmFile(name, context.name, path.stat().st_size, digest, stamp)
        self.rollouts.prepare(file)
        self._install(str(path), file, context, keep_source=True)
        self.state.put(file, own=True)
        self.rollouts.begin(file, self.members)
        return file

    @property
    def kept(self) -> list[Path]:
        return list(self.temp.iterdir())


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path)


def test_the_version_before_is_kept_until_every_member_has_tried_the_new_one(farm: Farm) -> None:
    farm.farm("one", 1)
    new = farm.farm("two", 2)
    assert len(farm.kept) == 1
    farm.rollouts.heard(FarmTrial(new, ""), ONE)
    assert farm.rollouts.under_way == ["a.zip"]
    farm.rollouts.heard(FarmTrial(new, ""), TWO)
    assert (farm.rollouts.under_way, farm.kept) == ([], [])
    assert farm.files == []


def test_a_member_on_which_it_does_not_start_takes_it_back_from_all(
    farm: Farm, caplog: pytest.LogCaptureFixture
) -> None:
    old = farm.farm("one", 1)
    new = farm.farm("two", 2)
    farm.rollouts.heard(FarmTrial(new, "no database"), TWO)
    ((again, members),) = farm.files
    assert (again.name, again.sha256, list(members)) == (old.name, old.sha256, [ONE, TWO])
    assert again.stamp_ms > new.stamp_ms, "so it counts for late joiners, too"
    assert farm.state.files == [again]
    assert farm.state.own == {"a.zip"}
    assert farm._has(again)
    why = f"every node goes back to the version before it, as it does not start on {TWO.name}: no database"
    assert farm.said == [FarmReturn("a.zip", why)] * 2
    assert farm.ended == [("a.zip", why)]
    assert [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR] == [f"[a.zip]: {why}"]
    assert farm.kept == []
    assert not farm.state.is_news(new), "what lies in watchDir does not come again"


def test_the_first_of_its_name_stays_where_it_runs(farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
    new = farm.farm("one", 1)
    farm.rollouts.heard(FarmTrial(new, "no database"), TWO)
    assert (farm.files, farm.removals, farm.state.files) == ([], [], [new])
    assert "there is no version before it to go back to, and it does not start on" in caplog.text


def test_a_version_beside_an_earlier_one_is_removed(farm: Farm) -> None:
    old = farm.farm("one", 1, "a##1.zip")
    new = farm.farm("two", 2, "a##2.zip")
    farm.rollouts.heard(FarmTrial(new, "no database"), TWO)
    assert farm.removals == [Removal("/a##2", 1_000)]
    assert farm.state.files == [old]
    assert [each.name for each in farm.run.iterdir()] == ["a##1.zip"]


def test_who_was_not_asked_changes_nothing(farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
    farm.farm("one", 1)
    new = farm.farm("two", 2)
    farm.rollouts.heard(FarmTrial(new, "no database"), member(3))
    assert farm.files == []
    assert "[a.zip] does not start on" in caplog.text
    for each in (ONE, TWO):
        farm.rollouts.heard(FarmTrial(new, ""), each)
    farm.rollouts.heard(FarmTrial(new, "no database"), ONE)
    assert farm.files == [], "it ran there already"


def test_nobody_waits_for_members_that_have_gone_or_never_answer(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    farm.farm("one", 1)
    farm.farm("two", 2)
    farm.members = [ONE]
    farm.rollouts.look()
    assert farm.rollouts.under_way == ["a.zip"]
    farm.now = farm_rollouts.TRIAL_SECONDS + 1
    farm.rollouts.look()
    assert (farm.rollouts.under_way, farm.kept) == ([], [])


def test_a_version_before_that_does_not_start_either_is_not_farmed(
    farm: Farm, caplog: pytest.LogCaptureFixture
) -> None:
    farm.farm("one", 1)
    new = farm.farm("two", 2)
    farm.starts = False
    farm.rollouts.heard(FarmTrial(new, "no database"), TWO)
    assert farm.files == []
    assert "the version before it does not start here, either: it is broken" in caplog.text


def test_one_that_does_not_run_here_is_forgotten_and_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / "temp" / "previous-1").mkdir(parents=True)
    farm = Farm(tmp_path)
    assert farm.kept == []
    farm.farm("one", 1)
    bad = FarmFile("a.zip", "/a", 1, bytes(32), 2)
    farm.rollouts.prepare(bad)
    assert len(farm.kept) == 1
    farm.rollouts.give_up(bad)
    assert (farm.rollouts.under_way, farm.kept) == ([], [])
