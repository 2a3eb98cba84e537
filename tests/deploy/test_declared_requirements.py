"""Requirements as projects write them, read without running anything."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from catalina.deploy import declared_requirements as module
from catalina.deploy.declared_requirements import DeclaredRequirements, declared_requirements, note_requirements
from catalina.errors import DeploymentError
from tests.support.narrowing import there
from tests.support.work import assert_linear


def declared(root: Path, text: str | bytes, **others: str) -> DeclaredRequirements:
    """The requirements of a directory; the keys of ``others`` name files, with ``__`` for a dot."""
    root.mkdir(exist_ok=True)
    (root / "requirements.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, content in others.items():
        (root / name.replace("__", ".")).write_text(content)
    return there(declared_requirements(str(root)))


def names(found: DeclaredRequirements) -> list[str]:
    return [str(each) for each in found.requirements]


def test_a_file_as_pip_freeze_and_people_write_it(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        "# the shop\r\nDjango==5.2  # LTS\npsycopg[binary] >= 3.1 ; python_version >= '3.8'\n"
        "win32; sys_platform == 'x'\n"
        "\nflask \\\n    == 3.0\n",
    )
    assert names(found) == ["Django==5.2", 'psycopg[binary]>=3.1; python_version >= "3.8"', "flask==3.0"]
    assert found.lines[0] == "Django==5.2"
    assert len(found.lines) == 4
    assert not found.builds


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_byte_order_mark_says_the_encoding_as_powershell_writes_it(tmp_path: Path, encoding: str) -> None:
    assert names(declared(tmp_path, "flask\n".encode(encoding))) == ["flask"]


def test_hashes_stay_with_their_requirement(tmp_path: Path) -> None:
    found = declared(tmp_path, "--require-hashes\nflask==3.0 \\\n  --hash=sha256:ab \\\n  --hash sha256:cd\n")
    assert found.lines == ["--require-hashes", "flask==3.0 --hash=sha256:ab --hash=sha256:cd"]
    assert names(found) == ["flask==3.0"]


def test_other_files_are_read_with_it_and_constraints_stay_apart(tmp_path: Path) -> None:
    found = declared(
        tmp_path, "-r base.txt\n-c limits.txt\nflask\n", base__txt="-r base.txt\njinja2", limits__txt="six<2"
    )
    assert names(found) == ["jinja2", "flask"]
    assert found.constraints == ["six<2"]


def test_the_application_itself_brings_the_requirements_of_its_pyproject(tmp_path: Path) -> None:
    project = '[project]\nname = "shop"\ndependencies = ["flask>=3"]\n'
    for line in ("-e .\n", "--editable=.\n", ".\n"):
        found = declared(tmp_path, line, pyproject__toml=project)
        assert names(found) == ["flask>=3"]
        assert not found.builds


def test_pyproject_counts_without_a_requirements_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["flask>=3"]\n')
    found = there(declared_requirements(str(tmp_path)))
    assert (names(found), found.source) == (["flask>=3"], "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    assert declared_requirements(str(tmp_path)) is None


def test_a_project_for_another_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=4"\n')
    with pytest.raises(DeploymentError, match=rf"requires Python >=4, and the server runs {platform.python_version()}"):
        declared_requirements(str(tmp_path))


def test_a_wheels_requirements_are_noted_where_the_next_start_finds_them(tmp_path: Path) -> None:
    note_requirements(str(tmp_path), [Requirement("flask>=3")])
    found = there(declared_requirements(str(tmp_path)))
    assert names(found) == ["flask>=3"]
    assert found.is_of_wheel


@pytest.mark.parametrize(
    "line",
    ["git+https://x.example/a.git", "a @ git+https://x.example/a.git", "https://x.example/a.tar.gz", "./vendor/a",
     "a @ https://x.example/a.zip", "--no-binary :all:\nflask"],
)  # fmt: skip
def test_what_would_run_code_of_a_package_is_told_apart(tmp_path: Path, line: str) -> None:
    assert declared(tmp_path, line).builds
    assert names(declared(tmp_path, line)) == (["flask"] if "flask" in line else [])


def test_a_wheel_may_be_named_by_its_file_or_address(tmp_path: Path) -> None:
    found = declared(tmp_path, "./vendor/a_b-1.0-py3-none-any.whl\nhttps://x.example/c-2-py3-none-any.whl#sha256=ab\n")
    assert names(found) == ["a-b==1.0", "c==2"]
    assert found.lines[0] == "./vendor/a_b-1.0-py3-none-any.whl"
    assert not found.builds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("flask\n--trusted-host x", r"requirements.txt:2: option --trusted-host is not for an application"),
        ("-r ../../etc/passwd", "leads out of the application's directory"),
        ("-e ./other", "an editable install"),
        ("flask --config-settings a=b", "only --hash is"),
        ("flask ==", "expected a requirement, got 'flask =='"),
        ("--index-url", "expected one value behind --index-url"),
        ("a" * 5000, "limit 4096"),
        ("-r gone.txt", "gone.txt: cannot be read: No such file or directory"),
        (b"fl\xffsk", "expected UTF-8, got byte 0xff at 2"),
        ("#" * (2**20 + 1), "more than 1048576 bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(DeploymentError, match=complaint):
        declared(tmp_path, text)


def test_a_link_out_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("flask")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/base.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DeploymentError, match="leads out of"):
        declared(tmp_path / "a", "-r base.txt")


def test_the_key_is_that_of_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = declared(tmp_path / "a", "flask # one\n--find-links wheels\n")
    key = first.key(False)
    assert key == declared(tmp_path / "b", "flask\n\n-f wheels\n").key(False)
    assert key != declared(tmp_path / "c", "flask>1\n-f wheels\n").key(False)
    assert key != first.key(True)
    (tmp_path / "a/wheels").mkdir()
    (tmp_path / "a/wheels/x.whl").write_text("x")
    assert key != first.key(False)
    monkeypatch.setattr("sysconfig.get_platform", lambda: "another")
    assert key != declared(tmp_path / "b", "flask\n-f wheels").key(False)


@settings(max_examples=100)
@given(st.text() | st.binary())
def test_any_bytes_give_requirements_or_the_documented_error(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    try:
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        found = DeclaredRequirements(str(root), "requirements.txt")
        root.mkdir(exist_ok=True)
        (root / "requirements.txt").write_bytes(content)
        (root / "pyproject.toml").write_bytes(content)
        module._RequirementsReader(found).read("requirements.txt")
    except DeploymentError:
        return
    assert len(found.lines) >= len(found.requirements)


def test_the_work_is_linear() -> None:
    def reading(size: int) -> Callable[[], object]:
        text = " \\\n" * size + "a"
        return lambda: list(module._logical_lines(text))

    assert_linear(reading, 5_000)
