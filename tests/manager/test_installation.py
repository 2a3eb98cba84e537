"""The ways to deploy."""

from __future__ import annotations

import os
import zipfile

import pytest

from tests.deploy.archives import hello, make_wheel
from tests.manager.site import war

OK = "OK - Deployed application at context path [{}]"


def test_what_does_not_start_is_told_with_its_reason_and_the_running_version_stays(site):
    site.text("deploy?path=/shop", "PUT", war("one"))
    broken = war(**{"wsgi.py": "1/0\napplication = 1\n"})
    lines = site.text("deploy?path=/shop&update=true", "PUT", broken)
    assert lines[0] == "FAIL - Deployed application at context path [/shop] but context failed to start"
    assert "ZeroDivisionError" in lines[1]
    assert site.ask("/shop/").text == "one"


def test_a_new_one_that_does_not_start_stays_deployed_as_stopped(site):
    assert site.text("deploy?path=/broken", "PUT", war(**{"wsgi.py": "1/0\napplication = 1\n"}))[0].startswith("FAIL")
    assert "/broken:stopped:0:broken" in site.text("list")


def test_an_upload_that_is_no_archive_is_told(site):
    lines = site.text("deploy?path=/junk", "PUT", b"junk")
    assert lines[0] == "FAIL - Failed to deploy application at context path [/junk]" or "failed to start" in lines[0]


def test_a_version_is_deployed_beside_another(site):
    site.text("deploy?path=/shop", "PUT", war("one"))
    assert site.text("deploy?path=/shop&version=2", "PUT", war("two")) == [OK.format("/shop##2")]
    assert site.ask("/shop/").text == "two"
    assert site.text("undeploy?path=/shop&version=2") == ["OK - Undeployed application at context path [/shop##2]"]
    assert site.ask("/shop/").text == "one"


def test_a_tag_is_deployed_again(site):
    site.text("deploy?path=/shop&tag=v1", "PUT", war("one"))
    site.text("deploy?path=/shop&update=true&tag=v2", "PUT", war("two"))
    assert site.ask("/shop/").text == "two"
    assert site.text("deploy?path=/shop&tag=v1") == [OK.format("/shop")]
    assert site.ask("/shop/").text == "one"
    kept = site.base / "work" / "Catalina" / "localhost" / "manager" / "v9" / "shop.war"
    assert site.text("deploy?path=/shop&tag=v9") == [
        f"FAIL - Unable to copy [{kept}] to [{site.base}/webapps/shop.war], "
        "details of the error may be in the server logs"
    ]


@pytest.mark.parametrize("tag", ["..", "a/b", "%2e%2e%2f%2e%2e", ".catalina-x"])
def test_a_tag_leads_nowhere_else(site, tag):
    assert site.text(f"deploy?path=/shop&tag={tag}", "PUT", war("one"))[0].startswith("FAIL - Encountered exception [")
    assert not [name for _, _, names in os.walk(site.base / "work") for name in names if name.endswith(".war")]
    assert sorted(os.listdir(site.base / "webapps")) == ["plain"]


def test_an_archive_and_a_directory_of_the_server_are_copied(site, tmp_path):
    (tmp_path / "one.war").write_bytes(war("one"))
    with zipfile.ZipFile(tmp_path / "one.war") as archive:
        archive.extractall(tmp_path / "dir")
    assert site.text(f"deploy?path=/ext&war=file:{tmp_path}/one.war") == [OK.format("/ext")]
    assert site.text(f"deploy?path=/dir&war=file:{tmp_path}/dir") == [OK.format("/dir")]
    assert site.ask("/ext/").text == site.ask("/dir/").text == "one"
    assert site.text("undeploy?path=/dir")[0].startswith("OK")
    assert (tmp_path / "dir" / "wsgi.py").exists()
    assert not (site.base / "webapps" / "dir").exists()
    missing = f"{tmp_path}/none.war"
    assert site.text(f"deploy?path=/none&war=file:{missing}") == [
        f"FAIL - Unable to copy [{missing}] to [{site.base}/webapps/none.war], "
        "details of the error may be in the server logs"
    ]


def test_a_directory_in_app_base_that_is_not_deployed_yet_runs_where_it_is(site):
    (site.base / "webapps" / "later").mkdir()
    (site.base / "webapps" / "later" / "wsgi.py").write_text(hello("later"))
    assert site.text("deploy?path=/later&war=later") == [OK.format("/later")]
    assert site.ask("/later/").text == "later"


@pytest.mark.parametrize("war_parameter", ["../conf", "file:{base}/conf", "file:{base}", "file:/"])
def test_the_servers_own_configuration_is_never_copied_into_app_base(site, war_parameter):
    lines = site.text(f"deploy?path=/spy&war={war_parameter.format(base=site.base)}")
    assert lines[0].startswith("FAIL - Unable to use [")
    assert not (site.base / "webapps" / "spy").exists()


def test_a_descriptor_is_copied_and_goes_with_the_application(site, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "wsgi.py").write_text(hello("outside"))
    (tmp_path / "cfg.xml").write_text(f'<Context docBase="{tmp_path}/outside"/>')
    assert site.text(f"deploy?config=file:{tmp_path}/cfg.xml") == [OK.format("/cfg")]
    assert site.ask("/cfg/").text == "outside"
    descriptors = site.base / "conf" / "Catalina" / "localhost"
    assert (descriptors / "cfg.xml").exists()
    assert site.text("undeploy?path=/cfg")[0].startswith("OK")
    assert not (descriptors / "cfg.xml").exists()
    assert (tmp_path / "outside" / "wsgi.py").exists()


def test_a_descriptor_that_an_operator_wrote_is_moved_aside_with_its_application(site, tmp_path):
    descriptors = site.base / "conf" / "Catalina" / "localhost"
    (descriptors / "mine.xml").write_text(f'<Context docBase="{site.base}/webapps/plain/../../outside"/>')
    (site.base / "outside").mkdir()
    (site.base / "outside" / "wsgi.py").write_text(hello("mine"))
    site.config.check_now("/mine")
    assert site.text("undeploy?path=/mine")[0].startswith("OK")
    assert not (descriptors / "mine.xml").exists()
    assert [name for name in os.listdir(descriptors) if name.startswith(".catalina-kept-mine.xml")]


def test_a_wheel_keeps_its_name(site, tmp_path):
    wheel = make_wheel(tmp_path, "shop", "1", {"shop.py": hello("wheel")})
    lines = site.text(f"deploy?path=/shop&fileName={wheel.name}", "PUT", wheel.read_bytes())
    assert lines == [OK.format("/shop##1")]
    assert site.ask("/shop/").text == "wheel"
    lines = site.text(f"deploy?path=/other&fileName={wheel.name}", "PUT", wheel.read_bytes())
    assert lines[0].startswith("FAIL - Encountered exception [")


def test_what_somebody_else_works_on_is_left_alone(site):
    site.config.try_add_serviced("/shop")
    assert site.text("deploy?path=/shop", "PUT", war()) == ["FAIL - The application [/shop] is already being serviced"]


def test_nothing_of_an_upload_is_left_over(site):
    site.text("deploy?path=/shop", "PUT", war("one"))
    site.text("deploy?path=/shop", "PUT", war("one"))
    assert sorted(os.listdir(site.base / "webapps")) == ["plain", "shop", "shop.war"]


def test_the_manager_does_not_replace_itself(site):
    lines = site.text("deploy?path=/manager&update=true", "PUT", war())
    assert lines == ["FAIL - The manager cannot reload, stop, or undeploy itself"]
