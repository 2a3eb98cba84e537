"""All sets of an application as one tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from catalina.webresources.dir_resource_set import DirResourceSet
from catalina.webresources.file_resource_set import FileResourceSet
from catalina.webresources.standard_root import StandardRoot

Make = Callable[..., StandardRoot]


def text(root: StandardRoot, path: str) -> str | None:
    found = root.get_resource(path)
    return found.read().decode() if found.is_file else None


def test_the_first_set_that_has_the_path_answers(make_root: Make, application: Path, tmp_path: Path) -> None:
    for name in ("pre", "post"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
        (tmp_path / name / f"{name}.txt").write_text(name)
    root = make_root()
    root.add(root.pre, DirResourceSet(base=str(tmp_path / "pre")))
    root.add(root.post, DirResourceSet(base="post"))  # relative to CATALINA_BASE
    root.start()
    assert [text(root, path) for path in ("/a.txt", "/pre.txt", "/post.txt")] == ["pre", "pre", "post"]
    root.stop()


def test_archives_in_web_inf_lib_bring_static_files(make_root: Make, application: Path) -> None:
    library = application / "WEB-INF" / "lib"
    library.mkdir()
    with ZipFile(library / "widgets-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("META-INF/resources/widget.css", "w{}")
        wheel.writestr("META-INF/resources/a.txt", "of the library")
    (library / "broken.jar").write_bytes(b"no zip")
    root = make_root()
    root.start()
    assert text(root, "/widget.css") == "w{}"
    assert text(root, "/a.txt") == "a"


@pytest.mark.parametrize("path", ["/../etc/passwd", "/sub/../../x", "/a\0b", "/a\\b"])
def test_a_path_that_leads_out_is_an_error(make_root: Make, path: str) -> None:
    root = make_root()
    root.start()
    with pytest.raises(ValueError, match="leads out of the application"):
        root.get_resource(path)


def test_a_path_without_leading_slash_is_an_error(make_root: Make) -> None:
    root = make_root()
    root.start()
    with pytest.raises(ValueError, match="does not start with a slash"):
        root.get_resource("a.txt")


def test_paths_are_normalised(make_root: Make) -> None:
    root = make_root()
    root.start()
    assert text(root, "//sub/./../a.txt") == "a"


@pytest.mark.parametrize(
    ("context", "own", "followed"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_links_are_followed_as_the_context_or_else_resources_says(
    make_root: Make, application: Path, context: bool | None, own: bool, followed: bool
) -> None:
    (application / "link.txt").symlink_to(application / "a.txt")
    root = make_root({"allow_linking": context}, allow_linking=own)
    root.start()
    assert (text(root, "/link.txt") == "a") is followed


def test_listings_leave_out_web_inf_at_the_root(make_root: Make, application: Path) -> None:
    (application / "sub" / "WEB-INF").mkdir()
    root = make_root()
    root.start()
    assert root.names("/") == ["a.txt", "sub"]
    assert root.names("/sub") == ["WEB-INF", "b.txt"]


def test_aliases_of_tomcat_7_are_served(make_root: Make, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("o")
    root = make_root({"aliases": f"/out={tmp_path / 'outside'}"})
    root.start()
    assert text(root, "/out/o.txt") == "o"


def test_resources_of_web_inf_classes_only_when_asked_for(make_root: Make, application: Path) -> None:
    directory = application / "WEB-INF" / "classes" / "META-INF" / "resources"
    directory.mkdir(parents=True)
    (directory / "c.txt").write_text("c")
    for asked in (False, True):
        root = make_root({"add_webinf_classes_resources": asked})
        root.start()
        assert (text(root, "/c.txt") == "c") is asked


def test_an_application_that_serves_no_files_has_none(make_root: Make) -> None:
    root = make_root()
    root.serves_files = False
    root.start()
    assert not root.get_resource("/a.txt").exists
    assert root.writable_file("/a.txt") is None


def test_a_packed_archive_is_served_from_inside(make_root: Make, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "app.war", "w") as war:
        war.writestr("index.html", "packed")
    root = make_root({"document_root": tmp_path / "app.war"})
    root.start()
    assert text(root, "/index.html") == "packed"


def test_without_cache_a_change_is_seen_at_once(make_root: Make, application: Path) -> None:
    root = make_root(caching_allowed=False)
    root.start()
    assert text(root, "/new.txt") is None
    (application / "new.txt").write_text("n")
    assert text(root, "/new.txt") == "n"
    assert root.read(root.get_resource("/new.txt")) is None


def test_a_cache_strategy_names_paths_that_are_never_remembered(make_root: Make, application: Path) -> None:
    root = make_root()
    strategy = type("Strategy", (), {"no_cache": staticmethod(lambda path: path == "/new.txt")})()
    root.set_cache_strategy(strategy)
    root.start()
    assert text(root, "/new.txt") is None
    (application / "new.txt").write_text("n")
    assert text(root, "/new.txt") == "n"


def test_read_only_resources_cannot_be_written(make_root: Make) -> None:
    root = make_root(read_only=True)
    root.start()
    assert root.writable_file("/new.txt") is None


def test_what_was_written_here_is_seen_at_once(make_root: Make, application: Path) -> None:
    root = make_root()
    root.start()
    assert text(root, "/new.txt") is None
    file = root.writable_file("/new.txt")
    assert file is not None
    file.write_text("n")
    root.forget("/new.txt")
    assert text(root, "/new.txt") == "n"
    root.background_process()


def test_sets_that_are_mounted_where_code_lies_are_imported_from(make_root: Make, tmp_path: Path) -> None:
    """In front of the application's own, or behind it; what is static only is served and not imported from."""
    for name in ("first", "library", "served", "last", "files"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-1-py3-none-any.whl").touch()
    root = make_root()
    mounted = (
        (root.pre, DirResourceSet(base="first", web_app_mount="/WEB-INF/classes/", class_loader_only=True)),
        (root.pre, DirResourceSet(base="library", web_app_mount="/WEB-INF/lib")),
        (root.pre, DirResourceSet(base="served", web_app_mount="/WEB-INF/classes", static_only=True)),
        (root.pre, DirResourceSet(base="files", web_app_mount="/files")),
        (root.post, DirResourceSet(base="last", web_app_mount="/WEB-INF/classes")),
        (root.post, FileResourceSet(base="a-1-py3-none-any.whl", web_app_mount="/WEB-INF/lib/a-1-py3-none-any.whl")),
        (root.post, FileResourceSet(base="a-1-py3-none-any.whl", web_app_mount="/WEB-INF/lib/b.whl", static_only=True)),
    )
    for sets, resource_set in mounted:
        root.add(sets, resource_set)
    root.start()
    before, after = root.code()
    assert before == [str(tmp_path / "first"), str(tmp_path / "library")]
    assert after == [str(tmp_path / "last"), str(tmp_path / "a-1-py3-none-any.whl")]
    root.stop()
