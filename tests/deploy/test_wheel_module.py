"""The WSGI callable of a wheel that names none."""

from __future__ import annotations

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.deploy.wheel import read_wheel
from catalina.deploy.wheel_module import bound_names, find_callable
from tests.deploy.archives import make_wheel
from tests.support.work import assert_linear

APP = "def application(environ, start_response): ...\n"


def find(tmp_path, files):
    file = make_wheel(tmp_path / "w", "my-shop", "1", files)
    with zipfile.ZipFile(file) as archive:
        return find_callable(read_wheel(str(file), archive), archive)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"shop/__init__.py": "", "shop/wsgi.py": APP}, "shop.wsgi:application"),
        ({"shop/__init__.py": "", "shop/app.py": "app = 1\n"}, "shop.app:app"),
        ({"shop/__init__.py": "from .x import make as application\n"}, "shop:application"),
        ({"shop.py": "app: object = 1\n"}, "shop:app"),
        ({"shop.py": "try:\n    app = 1\nexcept ValueError:\n    raise\n"}, "shop:app"),
        ({"a.py": APP, "my_shop.py": APP}, "my_shop:application"),
        ({"a.py": "app = 1\n", "b.py": APP}, "b:application"),
        ({"shop.py": "app: object\n"}, None),
        ({"shop.py": "def f():\n    app = 1\n"}, None),
        ({"shop.py": "print 'python 2'\n"}, None),
        ({"shop/deep/wsgi.py": APP}, None),
    ],
)
def test_which_module_it_is(tmp_path, files, expected):
    assert find(tmp_path, files) == expected


def test_nothing_is_run(tmp_path):
    assert find(tmp_path, {"shop.py": "raise SystemExit\napp = 1\n"}) == "shop:app"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = application = make()\n", {"a", "application"}),
        ("x.application = 1\napplication += 1\n", set()),
        ("application['x'] = 1\n", set()),
        ("from x import (a as application,\n    app)\n", {"application", "app"}),
        ("if x:\n    def app(): pass\n    inner = 1\nelse:\n    application = 1\n", {"app", "inner"}),
        ("if x:\n    if y:\n        app = 1\n", {"app"}),
        ("class C:\n    if x:\n        app = 1\napplication = 1\n", {"C", "application"}),
        ("async def app(scope): ...\n", {"app"}),
        ("x = 1; app = 2\n", {"x", "app"}),
        ('text = """\napp = 1\n"""\n# app = 1\n', {"text"}),
        ("# coding: latin-1\napp = 'ä'\n", {"app"}),
        ("# coding: punycode\napp = 1\n", set()),
        ("# coding: nosuch\napp = 1\n", set()),
        ("app = (\n", set()),
        ("", set()),
    ],
)
def test_names_that_the_top_level_binds(source, names):
    assert bound_names(source.encode("latin-1")) == names


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_set_of_names(source):
    assert all(isinstance(name, str) for name in bound_names(source))


HARD = ["-", "(", "[", "not ", "lambda: ", "a.", "a if b else ", "1 + ", "a, ", "a = ", "x = 1; ", "'' ", "import a\n"]


@pytest.mark.parametrize("hard", HARD)
def test_the_work_grows_with_the_length_of_the_source(hard):
    def make(size):
        source = b"application = " + hard.encode() * size
        return lambda: bound_names(source)

    assert_linear(make, 2000)


@pytest.mark.parametrize("hard", ["-" * 100_000 + "1", "(" * 100_000, "not " * 100_000 + "1", "a." * 100_000 + "a"])
def test_a_source_that_no_parser_stands_ends_nothing(tmp_path, hard):
    assert find(tmp_path, {"shop.py": f"application = {hard}\n"}) in ("shop:application", None)
