"""The account of a pool's processes, and the files that it may and may not read."""

from __future__ import annotations

import os
import pwd
import resource
import stat
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.errors import DeploymentError
from catalina.workers.pool_account import account_of, check_access, let_read, own_context_file
from tests.support.narrowing import there
from tests.support.needs import need_root

USER = "daemon"


def context_of(**values: object) -> StandardContext:
    return StandardContext(path="/shop", **values)


def test_an_application_without_a_user_runs_as_the_server_does() -> None:
    assert account_of(context_of()) is None


def test_the_users_own_group_and_groups_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [gid, 4711] if name == USER else [])
    account = there(account_of(context_of(user=USER, max_open_files=100, max_address_space=2**30)))
    known = pwd.getpwnam(USER)
    assert (account.uid, account.gid) == (known.pw_uid, known.pw_gid)
    assert account.groups == tuple(sorted((known.pw_gid, 4711)))
    assert account.limits == {resource.RLIMIT_NOFILE: 100, resource.RLIMIT_AS: 2**30, resource.RLIMIT_CORE: 0}
    assert account.umask == 0o027


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"user": "no-such-user"}, "expected a user and a group of this machine, got .*no-such-user"),
        ({"user": USER, "group": "no-such-group"}, "expected a user and a group of this machine, got .*no-such-group"),
        ({"user": "root"}, "expected a user without rights, got the superuser"),
        ({"user": USER, "privileged": True}, "a privileged application works on the server"),
    ],
)
def test_a_user_that_cannot_be_had_is_refused(values: dict[str, object], why: str) -> None:
    with pytest.raises(DeploymentError, match=why):
        account_of(context_of(**values))


def test_only_root_can_become_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    with pytest.raises(DeploymentError, match=r"only a server that is started as root .* this one runs as \[nobody\]"):
        account_of(context_of(user=USER))
    known = pwd.getpwnam(USER)
    monkeypatch.setattr(os, "geteuid", lambda: known.pw_uid)
    monkeypatch.setattr(os, "getegid", lambda: known.pw_gid)
    assert there(account_of(context_of(user=USER))).uid == known.pw_uid, "its own user, with limits"


def test_the_applications_own_file_chooses_no_user() -> None:
    context = context_of(user=USER)
    context.config_file = Path("/srv/webapps/shop/META-INF/context.xml")
    assert own_context_file(context)
    with pytest.raises(DeploymentError, match=r"META-INF/context\.xml cannot have a user"):
        account_of(context)
    context.config_file = Path("/srv/conf/Catalina/localhost/shop.xml")
    assert not own_context_file(context)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """``webapps/shop`` as a server with umask 0027 unpacks it."""
    shop = tmp_path / "webapps" / "shop"
    shop.mkdir(parents=True)
    (shop / "code.py").write_text("1")
    (shop / "code.py").chmod(0o660)
    (shop / "everybodys.txt").write_text("1")
    (shop / "everybodys.txt").chmod(0o644)
    (tmp_path / "secret").write_text("1")
    (tmp_path / "secret").chmod(0o600)
    (shop / "link").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", shop / "hard")
    for directory in (shop, shop.parent, tmp_path):
        directory.chmod(0o750)
    return tmp_path


def test_the_group_may_read_what_the_server_has_made_and_nothing_that_a_link_names(tree: Path) -> None:
    need_root()
    account = there(account_of(context_of(user=USER)))
    shop = tree / "webapps" / "shop"
    let_read(account, [shop], tree)
    assert (mode_of(shop), shop.stat().st_gid) == (0o750, account.gid)
    assert (mode_of(shop / "code.py"), (shop / "code.py").stat().st_gid) == (0o640, account.gid)
    assert (mode_of(shop / "everybodys.txt"), (shop / "everybodys.txt").stat().st_gid) == (0o644, 0)
    assert (mode_of(tree / "secret"), (tree / "secret").stat().st_gid) == (0o600, 0)
    assert (mode_of(shop.parent), mode_of(tree)) == (0o751, 0o751), "names can be followed and not listed"
    let_read(account, [shop], tree)
    assert mode_of(shop / "code.py") == 0o640


def test_files_of_others_stay_as_they_are(tree: Path) -> None:
    need_root()
    account = there(account_of(context_of(user=USER)))
    shop = tree / "webapps" / "shop"
    os.chown(shop / "code.py", pwd.getpwnam("games").pw_uid, -1)
    let_read(account, [shop], tree)
    assert ((shop / "code.py").stat().st_gid, mode_of(shop / "code.py")) == (0, 0o660)


def test_what_a_user_can_and_cannot_read_is_looked_at_as_that_user(tree: Path) -> None:
    need_root()
    account = there(account_of(context_of(user=USER)))
    before = os.umask(0o027)
    try:
        with pytest.raises(DeploymentError, match=rf"user \[{USER}\] cannot read \[{tree}/webapps/shop\]"):
            check_access(account, [tree / "webapps" / "shop"], [])
        public = Path("/etc/passwd")
        check_access(account, [public], [tree / "secret"])
        with pytest.raises(DeploymentError, match=r"can read \[/etc/passwd\].*chmod 750 conf"):
            check_access(account, [], [public])
        os.umask(0o022)
        with pytest.raises(DeploymentError, match=r"the server's umask is \[0022\].*UMASK=0027"):
            check_access(account, [], [])
    finally:
        os.umask(before)
