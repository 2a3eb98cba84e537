"""The upload of the manager's HTML page in Chromium: its bar moves, and the application runs."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.interop.chromium import chromium
from tests.interop.test_cluster_page import managed

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

#: Notes the values that the bar has had. They must rise: the browser tells how much it has sent.
WATCH = """
window.seen = [];
const bar = document.querySelector("#upload progress");
new MutationObserver(() => { if (!bar.hidden) window.seen.push(bar.value); }).observe(bar, {attributes: true});
"""


def archive(file: Path) -> Path:
    """A zip with a page and ballast that does not compress."""
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("WEB-INF/web.xml", "<web-app/>")
        made.writestr("index.html", "the shop")
        made.writestr("ballast.bin", os.urandom(20 * 2**20))
    return file


def test_an_upload_shows_how_far_it_is_and_runs_the_application(tmp_path: Path) -> None:
    node = managed("n1", tmp_path / "n1", "").start()
    try:
        with chromium(tmp_path, node.http_port) as browser:
            browser.driver.get(f"http://gui:secret@localhost:{node.http_port}/manager/html")
            browser.driver.execute_script(WATCH)
            browser.type("#upload input[type=file]", str(archive(tmp_path / "shop.zip")))
            browser.find("#upload button").click()
            browser.wait(lambda: "Deployed application" in browser.text("#message"), "the upload is answered")
            seen = browser.driver.execute_script("return window.seen")
            assert seen == sorted(seen)
            assert seen[-1] == 100
            links = [each.get_attribute("href") or "" for each in browser.driver.find_elements(By.TAG_NAME, "a")]
            assert any(link.endswith("/shop/") for link in links)
        assert node.get("/index.html", app="/shop").body == b"the shop"
    finally:
        node.close()
