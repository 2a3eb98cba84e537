"""The directory that runs from an archive."""

from __future__ import annotations

import os
from pathlib import Path

from lxml import etree

from catalina.deploy.archive import read_archive
from catalina.deploy.exploding import explode, is_current
from tests.deploy.archives import hello, make_wheel, make_zip


def exploded(file: Path, target: Path) -> set[str]:
    explode(read_archive(str(file)), str(target))
    return {str(each.relative_to(target)) for each in target.rglob("*") if each.is_file()}


def test_a_war_is_unpacked_as_it_is(tmp_path):
    file = make_zip(tmp_path / "w/a.war", {"index.html": "", "WEB-INF/web.xml": "<web-app/>"})
    assert exploded(file, tmp_path / "a") == {"index.html", "WEB-INF/web.xml", "META-INF/war-tracker"}


def test_a_wheel_gets_the_layout_of_a_war_and_a_web_xml(tmp_path):
    file = make_wheel(tmp_path / "w", "d", "1", {"shop/__init__.py": hello("x"), "shop/static/a.css": ""},
                      entry_point=("shop", "shop:application"), distributable=True)  # fmt: skip
    found = exploded(file, tmp_path / "a")
    assert {"WEB-INF/web.xml", "WEB-INF/lib/shop/__init__.py", "WEB-INF/lib/d-1.dist-info/METADATA"} <= found
    descriptor = etree.parse(tmp_path / "a/WEB-INF/web.xml").getroot()
    names = [etree.QName(each).localname for each in descriptor]
    assert names == ["display-name", "distributable", "servlet", "servlet-mapping"]
    assert descriptor.findtext(".//{*}servlet-class") == "shop:application"


def test_a_wheel_that_is_not_distributable_does_not_say_so(tmp_path):
    exploded(make_wheel(tmp_path / "w", "shop", "1", {"shop.py": hello("x")}), tmp_path / "a")
    assert "distributable" not in (tmp_path / "a/WEB-INF/web.xml").read_text()


def test_a_wheel_with_its_own_web_xml_serves_what_stands_beside_it_but_no_code(tmp_path):
    files = {
        "shop/__init__.py": "", "shop/views.py": "", "shop/WEB-INF/web.xml": "<web-app/>", "shop/index.html": "",
        "shop/img/a.png": "", "shop/sub/__init__.py": "", "shop/sub/secret.txt": "",
    }  # fmt: skip
    found = exploded(make_wheel(tmp_path / "w", "shop", "1", files), tmp_path / "a")
    served = {name for name in found if not name.startswith(("WEB-INF/lib/", "META-INF/"))}
    assert served == {"WEB-INF/web.xml", "index.html", "img/a.png"}
    assert {"WEB-INF/lib/shop/views.py", "WEB-INF/lib/shop/sub/secret.txt"} <= found


def test_a_web_xml_at_the_wheels_root_leaves_its_packages_importable(tmp_path):
    files = {"shop/__init__.py": "", "WEB-INF/web.xml": "<web-app/>", "static/a.css": ""}
    found = exploded(make_wheel(tmp_path / "w", "shop", "1", files), tmp_path / "a")
    assert {"WEB-INF/web.xml", "static/a.css", "WEB-INF/lib/shop/__init__.py"} <= found


def test_a_directory_is_current_until_the_archive_changes(tmp_path):
    file = make_zip(tmp_path / "w/a.war", {"index.html": ""})
    exploded(file, tmp_path / "a")
    assert is_current(str(file), str(tmp_path / "a"))
    os.utime(file, (1, 1))
    assert not is_current(str(file), str(tmp_path / "a"))


def test_a_directory_nobody_unpacked_is_not_current(tmp_path):
    file = make_zip(tmp_path / "w/a.war", {"index.html": ""})
    (tmp_path / "a").mkdir()
    assert not is_current(str(file), str(tmp_path / "a"))
