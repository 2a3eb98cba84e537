"""tomcat-users.xml."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError
from catalina.users.users_file import Group, Role, User, UsersFile, read_users_file, write_users_file

CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
  <role rolename="admin" description="all of it"/>
  <group groupname="staff" roles="admin, user"/>
  <user username="bob" password="${pw}" fullName="Bob B." groups="staff" roles="extra"/>
  <user name="ann" password="x" fullname="Ann"/>
  <user username="bob" password="second" roles="more"/>
  <unknown/>
</tomcat-users>"""


def read(tmp_path, text, **properties):
    file = tmp_path / "users.xml"
    file.write_text(text)
    return read_users_file(file, properties)


def test_users_have_their_own_roles_and_those_of_their_groups(tmp_path):
    content = read(tmp_path, CONTENT, pw="secret")
    bob = content.users["bob"]
    assert (bob.password, bob.full_name) == ("secret", "Bob B.")
    assert content.roles_of(bob) == ("admin", "extra", "more", "user")
    assert content.users["ann"].full_name == "Ann"


def test_roles_and_groups_that_are_only_mentioned_exist(tmp_path):
    content = read(tmp_path, CONTENT)
    assert set(content.roles) == {"admin", "user", "extra", "more"}
    assert content.roles["admin"].description == "all of it"
    assert set(content.groups) == {"staff"}


@pytest.mark.parametrize(
    "text",
    [
        "<tomcat-users><user password='x'/></tomcat-users>",
        "<users/>",
        "<tomcat-users>",
        "<tomcat-users><role/></tomcat-users>",
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"users\.xml"):
        read(tmp_path, text)


NAMES = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0xD7FF, exclude_characters=",\ufffe\uffff"), min_size=1
)


@given(NAMES, st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0xD7FF)), st.lists(NAMES, unique=True))
def test_what_is_written_is_read_again(tmp_path_factory, name, password, roles):
    directory = tmp_path_factory.mktemp("users")
    roles = [role for role in (role.strip() for role in roles) if role]
    content = UsersFile({role: Role(role) for role in roles}, {"g": Group("g")})
    content.users[name] = User(name, password, None, ["g"], list(dict.fromkeys(roles)))
    write_users_file(directory / "users.xml", content)
    again = read_users_file(directory / "users.xml")
    assert again.users[name] == content.users[name]


def test_the_file_is_replaced_whole_and_not_for_everybody_to_read(tmp_path):
    file = tmp_path / "users.xml"
    write_users_file(file, UsersFile())
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["users.xml"]


def test_a_password_does_not_show():
    assert "secret" not in repr(User("bob", "secret"))
