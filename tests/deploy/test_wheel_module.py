"""The WSGI callable of a wheel that names none."""

from __future__ import annotations

import zipfile

import pytest

from catalina.deploy.wheel import read_wheel
from catalina.deploy.wheel_module import find_callable
from tests.deploy.archives import make_wheel

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
