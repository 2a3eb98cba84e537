"""Clients of other people at /jolokia: PyPI's jolokia, and jolokia.js in Node."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manager.site import Site, running
from tests.manager.test_jolokia_servlet import base_of
from tests.support.needs import need_command, need_module

pytestmark = pytest.mark.interop

SERVER = "Catalina:type=Server"
SCRIPT = """
globalThis.window = globalThis;  // it was written for browsers
const { default: Jolokia } = await import("jolokia.js");
const agent = new Jolokia({ url: process.argv[2], username: "gui", password: "secret", method: "post" });
const read = { type: "read", mbean: "Catalina:type=Server", attribute: "stateName" };
const one = await agent.request(read);
const many = await agent.request([read, { type: "search", mbean: "Catalina:type=Manager,*" },
  { type: "exec", mbean: "java.lang:type=Memory", operation: "gc" }, { type: "read", mbean: "none:a=b" }]);
const version = await agent.request({ type: "version" });
console.log(JSON.stringify({ one, many, version }));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(base_of(tmp_path_factory.mktemp("jolokia"))) as site:
        yield site


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_python_client_reads_writes_and_executes(site: Site) -> None:
    need_module("jolokia")
    from jolokia import JolokiaClient

    client = JolokiaClient(f"http://127.0.0.1:{site.port}/jolokia", username="gui", password="secret")
    assert client.version()["value"]["protocol"] == "8.2"
    assert client.get_attribute(mbean=SERVER, attribute="stateName")["value"] == "STARTED"
    assert len(client.search(mbean="Catalina:type=Manager,*")["value"]) == 2
    manager = "Catalina:type=Manager,host=localhost,context=/plain"
    changed = client.set_attribute(mbean=manager, attr_value_pairs=("processExpiresFrequency", 7))
    assert changed["status"] == 200
    assert client.get_attribute(mbean=manager, attribute="processExpiresFrequency")["value"] == 7
    assert client.execute(mbean="java.lang:type=Memory", operation="gc", arguments=[])["status"] == 200
    assert "Catalina" in client.list()["value"]


def test_the_javascript_client_reads_in_bulk(site: Site, tmp_path: Path) -> None:
    node = need_command("node", "nodejs")
    modules = Path(sys.prefix) / "node_modules"
    if not (modules / "jolokia.js").is_dir():
        pytest.skip(f"jolokia.js is not in {modules} (npm install --prefix .venv jolokia.js@2.6.1)")
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "client.mjs").write_text(SCRIPT)
    done = subprocess.run(
        [node, "client.mjs", f"http://127.0.0.1:{site.port}/jolokia"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["one"]["value"] == "STARTED"
    assert [each["status"] for each in said["many"]] == [200, 200, 200, 404]
    assert said["version"]["value"]["protocol"] == "8.2"
