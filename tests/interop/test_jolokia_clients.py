"""Clients of other people at /jolokia: PyPI's jolokia, and jolokia.js in Node."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.manager.site import Site, running
from tests.manager.test_jolokia_servlet import base_of
from tests.support.needs import missing, need_command, need_module

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
#: Both ways to hear of a change; Node has no EventSource, which browsers have.
LISTENER = """
globalThis.window = globalThis;
const [url, bean] = process.argv.slice(2);
const login = "Basic " + Buffer.from("gui:secret").toString("base64");
globalThis.EventSource = class {
  constructor(from) {
    this.stop = new AbortController();
    this.ready = fetch(from, { headers: { Authorization: login }, signal: this.stop.signal });
    this.ready.then(async (answer) => {
      this.type = answer.headers.get("content-type");
      let text = "";
      for await (const part of answer.body) {
        text += Buffer.from(part).toString();
        let end;
        while ((end = text.indexOf("\\r\\n\\r\\n")) >= 0) {
          const data = text.slice(0, end).split("\\r\\n").find((line) => line.startsWith("data: "));
          text = text.slice(end + 4);
          if (data) this.listener({ data: data.slice(6) });
        }
      }
    }).catch(() => {});
  }
  addEventListener(_, listener) { this.listener = listener; }
  close() { this.stop.abort(); }
};
const { default: Jolokia } = await import("jolokia.js");
const agent = new Jolokia({ url, username: "gui", password: "secret", fetchInterval: 100 });
const heard = {};
const filter = ["jmx.attribute.change"];
const change = { type: "write", mbean: bean, attribute: "processExpiresFrequency", value: 9 };
const handles = [];
let left = 2;
await new Promise(async (done) => {
  for (const mode of ["pull", "sse"]) {
    const callback = (result) => { heard[mode] = result; if (--left === 0) done(); };
    handles.push(await agent.addNotificationListener({ mode, mbean: bean, filter, handback: mode, callback }));
  }
  agent.start();
  await agent.request(change, { method: "post" });
});
agent.stop();
const removed = [];
for (const handle of handles) removed.push(await agent.removeNotificationListener(handle));
const unregistered = await agent.unregisterNotificationClient();
console.log(JSON.stringify({ heard, removed, unregistered }));
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


def in_node(directory: Path, script: str, *arguments: str) -> dict[str, Any]:
    """The JSON that a script with jolokia.js prints."""
    node = need_command("node", "nodejs")
    modules = Path(sys.prefix) / "node_modules"
    if not (modules / "jolokia.js").is_dir():
        missing(f"jolokia.js is not in {modules} (npm install --prefix .venv jolokia.js@2.6.1)")
    (directory / "node_modules").symlink_to(modules)
    (directory / "client.mjs").write_text(script)
    done = subprocess.run(
        [node, "client.mjs", *arguments], cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_javascript_client_reads_in_bulk(site: Site, tmp_path: Path) -> None:
    said = in_node(tmp_path, SCRIPT, f"http://127.0.0.1:{site.port}/jolokia")
    assert said["one"]["value"] == "STARTED"
    assert [each["status"] for each in said["many"]] == [200, 200, 200, 404]
    assert said["version"]["value"]["protocol"] == "8.2"


def test_the_javascript_client_hears_of_a_change_by_pulling_and_by_a_stream(site: Site, tmp_path: Path) -> None:
    bean = "Catalina:type=Manager,host=localhost,context=/plain"
    said = in_node(tmp_path, LISTENER, f"http://127.0.0.1:{site.port}/jolokia", bean)
    for mode in ("pull", "sse"):
        result = said["heard"][mode]
        assert (result["handback"], result["dropped"]) == (mode, 0)
        (one,) = result["notifications"]
        assert (one["type"], one["source"]) == ("jmx.attribute.change", {"objectName": bean})
        assert (one["attributeName"], one["newValue"]) == ("processExpiresFrequency", 9)
    assert (said["removed"], said["unregistered"]) == ([True, True], True)
