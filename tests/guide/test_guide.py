"""Every block of the guide is run, and prints what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.guide.pages import GUIDE, blocks_of, matches, run_page
from tests.support.frameworks import need_frameworks
from tests.support.needs import need_command, need_network_namespaces

PAGES = sorted(page.name for page in GUIDE.glob("*.md") if page.name != "README.md")


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Any]]]:
    """The output of the pages that this run asks for. Each has a network of its own, so several run at a time."""
    need_network_namespaces()
    frameworks = need_frameworks()
    wanted = [name for name in PAGES if any(name in each.name for each in request.session.items)]
    with ThreadPoolExecutor(3) as pool:
        yield {
            name: pool.submit(run_page, blocks_of(GUIDE / name), tmp_path_factory.mktemp("page"), frameworks)
            for name in wanted
        }


@pytest.mark.cluster
@pytest.mark.netns
@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_what_it_says(name: str, outcomes: dict[str, Future[list[str | None]]]) -> None:
    if name == "in-front.md":
        for command in ("haproxy", "nginx", "apache2"):
            need_command(command)
    blocks, outputs = blocks_of(GUIDE / name), outcomes[name].result(900)
    shown = 0
    for before, block in zip(outputs, blocks[1:], strict=False):
        if block.language == "text":
            assert before is not None, f"{name}: an output without a command"
            assert matches(block.text, before), f"{name}: expected\n{block.text}\ncame\n{before}"
            shown += 1
    assert shown or name == "in-front.md"


@pytest.mark.parametrize("name", [*PAGES, "README.md"])
def test_a_page_has_no_block_that_nobody_runs_and_no_link_that_leads_nowhere(name: str) -> None:
    text = (GUIDE / name).read_text()
    for block in blocks_of(GUIDE / name):
        assert block.language in ("sh", "text") or block.file, f"{name}: {block}"
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert link.startswith("http") or (GUIDE / link).exists(), f"{name}: {link}"


def test_all_pages_are_in_the_list_and_the_readme_leads_there_in_its_first_screen() -> None:
    listed = (GUIDE / "README.md").read_text()
    assert [name for name in PAGES if f"({name})" not in listed] == []
    first_screen = "\n".join((GUIDE.parents[1] / "README.md").read_text().splitlines()[:20])
    assert "docs/guide/README.md" in first_screen


def test_outputs_are_compared_with_gaps() -> None:
    assert matches("a ... b\n...", "a 1 b\nmore\nand more")
    assert not matches("a ... b", "a 1 b c")
