"""The remembered facts about an application."""

from __future__ import annotations

from catalina.deploy.settling import stamp_of
from catalina.startup.deployed_application import DeployedApplication
from catalina.util.context_name import ContextName


def test_files_keep_the_order_in_which_they_were_named(tmp_path):
    application = DeployedApplication(ContextName("/a"))
    (tmp_path / "b").touch()
    application.watch_for_redeploy(str(tmp_path / "b"), str(tmp_path / "a"))
    application.watch_for_redeploy(str(tmp_path / "b"))
    assert application.redeploy == {str(tmp_path / "b"): stamp_of(str(tmp_path / "b")), str(tmp_path / "a"): None}
    assert list(application.redeploy) == [str(tmp_path / "b"), str(tmp_path / "a")]


def test_files_that_reload_are_apart(tmp_path):
    application = DeployedApplication(ContextName("/a"))
    application.watch_for_reload(str(tmp_path / "web.xml"))
    assert application.reload == {str(tmp_path / "web.xml"): None}
    assert not application.redeploy
