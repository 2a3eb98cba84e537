"""A real browser: Chromium from Debian, without a window, driven by Selenium through its own chromedriver."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.needs import need_command

__all__ = ["Chromium", "chromium"]

T = TypeVar("T")

#: A busy machine is no failure.
SECONDS = 90


class Chromium:
    """One window, at one site.

    Args:
        driver: Selenium's.
        address: of the site, before every path.
    """

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self._address = address

    def open(self, path: str) -> None:
        self.driver.get(self._address + path)

    def find(self, selector: str) -> WebElement:
        """An element by CSS, once it is there."""
        return self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, selector), selector)

    def text(self, selector: str) -> str:
        return self.wait(lambda: (self.driver.find_element(By.CSS_SELECTOR, selector).text,), selector)[0]

    def type(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def press(self, selector: str) -> None:
        """Press a button whose form is sent; return when another page is there."""
        button = self.find(selector)
        button.click()
        self.wait(lambda: _is_gone(button), f"another page after {selector}")

    def wait(self, condition: Callable[[], T], what: str) -> T:
        ignored = (NoSuchElementException, StaleElementReferenceException)
        waiting = WebDriverWait(self.driver, SECONDS, 0.05, ignored)
        return waiting.until(lambda _: condition(), f"{what}\n{self.driver.current_url}\n{self.driver.page_source}")

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie["name"]: cookie["value"] for cookie in self.driver.get_cookies()}


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


@contextlib.contextmanager
def chromium(directory: Path, port: int) -> Iterator[Chromium]:
    """A browser for http://localhost:port, which ends with the block."""
    options = Options()
    options.binary_location = need_command("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", f"--user-data-dir={directory / 'profile'}"):  # fmt: skip
        options.add_argument(flag)
    service = Service(need_command("chromedriver", "chromium-driver"), log_output=str(directory / "chromedriver.log"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(SECONDS)
    try:
        yield Chromium(driver, f"http://localhost:{port}")
    finally:
        driver.quit()
