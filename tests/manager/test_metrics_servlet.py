"""The scrape of a real node."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.manager.site import PROJECT, make_base, running

DASHBOARD = PROJECT / "docs" / "grafana" / "catalina.json"


@pytest.fixture
def scraped(tmp_path):
    with running(make_base(tmp_path / "base", managers=("manager", "metrics"))) as site:
        site.ask("/plain/", login=None)
        answer = site.ask("/metrics", login=None)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        yield site, {family.name: family for family in text_string_to_metric_families(answer.text)}


def test_requests_threads_sessions_and_the_process_are_there(scraped):
    site, families = scraped
    port = str(site.port)
    requests = {sample.labels["port"]: sample.value for sample in families["tomcat_requestcount"].samples}
    assert requests[port] >= 1
    sessions = {s.labels["context"]: s.value for s in families["tomcat_session_sessioncounter"].samples}
    assert sessions["/plain"] == 1
    for name in (
        "tomcat_threadpool_currentthreadcount", "tomcat_threadpool_currentthreadsbusy",
        "tomcat_threadpool_keepalivecount", "tomcat_threadpool_connectioncount", "tomcat_servlet_requestcount",
        "jvm_memory_usage_used_bytes", "jvm_physical_memory_bytes", "jvm_process_cpu_load", "process_cpu_seconds",
    ):  # fmt: skip
        assert families[name].samples, name


def test_with_a_login_it_is_at_the_managers(scraped):
    site, _ = scraped
    assert site.ask("/manager/metrics", login=None).status == 401
    assert site.ask("/manager/metrics", login="watch:secret").text.startswith("# HELP tomcat_")


def test_only_reading_of_one_page_is_possible(scraped):
    assert scraped[0].ask("/metrics", "POST", b"x", login=None).status == 405
    assert scraped[0].ask("/metrics/", login=None).status == 200
    assert scraped[0].ask("/metrics/x", login=None).status == 404
