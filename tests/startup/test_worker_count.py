"""How many workers a node has."""

from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.startup.worker_count import MAX_WORKERS, WORKERS, available_cores, worker_count


def test_a_node_is_one_process_unless_somebody_says_otherwise() -> None:
    assert worker_count({}, {}) == 1


def test_the_property_wins_over_the_environment() -> None:
    assert worker_count({WORKERS: "3"}, {"WEB_CONCURRENCY": "5"}) == 3
    assert worker_count({}, {"WEB_CONCURRENCY": "5"}) == 5
    assert worker_count({WORKERS: " "}, {"WEB_CONCURRENCY": ""}) == 1


def test_auto_is_what_this_process_may_use() -> None:
    assert worker_count({WORKERS: "auto"}, {}) == available_cores()


@pytest.mark.parametrize("text", ["0", "-1", "many", "2.5", str(MAX_WORKERS + 1)])
def test_anything_else_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"catalina\.workers={text}: expected auto, or a number from 1 to"):
        worker_count({WORKERS: text}, {})


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("10000 100000", 1)])
def test_a_control_groups_quota_counts_rounded_up(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert available_cores(tmp_path) == min(cores, available_cores(tmp_path / "none"))


def test_no_quota_leaves_the_affinity(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert available_cores(tmp_path) == available_cores(tmp_path / "none")


def test_the_older_control_groups_count_too(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert available_cores(tmp_path) == 1
