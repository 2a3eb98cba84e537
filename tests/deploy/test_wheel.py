"""The description of a wheel."""

from __future__ import annotations

import zipfile

import pytest

from catalina.deploy.wheel import EntryPoint, read_wheel
from catalina.errors import DeploymentError
from tests.deploy.archives import make_wheel, make_zip


def read(file):
    with zipfile.ZipFile(file) as archive:
        return read_wheel(str(file), archive)


def test_name_version_requirements_and_entry_point_are_read(tmp_path):
    wheel = read(
        make_wheel(tmp_path / "w", "my-shop", "1.4.0", {"shop.py": ""}, entry_point=("shop", "shop.web:application"),
                   requires=["packaging>=20; python_version > '3'"], requires_python=">=3.9")
    )  # fmt: skip
    assert (wheel.name, str(wheel.version), wheel.requires_python) == ("my-shop", "1.4.0", ">=3.9")
    assert wheel.entry_points == (EntryPoint("shop", "shop.web:application", False),)
    assert [requirement.name for requirement in wheel.requirements] == ["packaging"]
    assert wheel.tags == {"py3-none-any"}


def test_the_distributable_group_marks_the_application(tmp_path):
    wheel = read(make_wheel(tmp_path / "w", "s", "1", {}, entry_point=("foo#bar", "s:app"), distributable=True))
    assert wheel.entry_points == (EntryPoint("foo#bar", "s:app", True),)


@pytest.mark.parametrize(
    ("name", "says"),
    [("shop.whl", "not a wheel's file name"), ("shop-x-py3-none-any.whl", "not a wheel's file name"),
     ("other-1.0-py3-none-any.whl", "expected a directory other-1.0.dist-info")],
)  # fmt: skip
def test_a_name_that_does_not_fit_is_refused(tmp_path, name, says):
    made = make_wheel(tmp_path / "w", "shop", "1.0", {})
    with pytest.raises(DeploymentError, match=says):
        read(made.rename(tmp_path / name))


def test_without_metadata_it_is_no_wheel(tmp_path):
    file = make_zip(tmp_path / "w/shop-1.0-py3-none-any.whl", {"shop-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\n"})
    with pytest.raises(DeploymentError, match=r"has no shop-1.0.dist-info/METADATA"):
        read(file)


def test_a_requirement_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DeploymentError, match="'no such thing!' cannot be read"):
        read(make_wheel(tmp_path / "w", "shop", "1.0", {}, requires=["no such thing!"]))


def test_entry_points_that_cannot_be_read_are_named(tmp_path):
    file = make_wheel(tmp_path / "w", "shop", "1.0", {"shop-1.0.dist-info/entry_points.txt": "nonsense"})
    with pytest.raises(DeploymentError, match=r"entry_points.txt cannot be read"):
        read(file)
