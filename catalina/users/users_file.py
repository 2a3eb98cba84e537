"""tomcat-users.xml read and written (Tomcat: MemoryUserDatabase.java, MemoryRuleSet.java)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from catalina.attributes import comma_list
from catalina.digester.substitution import MappingSource, Substitution
from catalina.digester.xml_tree import XmlElement, read_xml
from catalina.errors import ConfigurationError

__all__ = ["Group", "Role", "User", "UsersFile", "read_users_file", "write_users_file"]

HEAD = """<?xml version='1.0' encoding='utf-8'?>
<tomcat-users xmlns="http://tomcat.apache.org/xml"
              xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
              xsi:schemaLocation="http://tomcat.apache.org/xml tomcat-users.xsd"
              version="1.0">
"""


@dataclass(slots=True)
class Role:
    """``<role>``"""

    name: str
    description: str | None = None


@dataclass(slots=True)
class Group:
    """``<group>`` and the roles that its users have, too."""

    name: str
    description: str | None = None
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True)
class User:
    """``<user>``; ``password`` is the stored form, plain or digested."""

    name: str
    password: str | None = None
    full_name: str | None = None
    groups: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"User({self.name!r})"  # without the password


@dataclass(slots=True)
class UsersFile:
    """The content of the file, by name. Roles and groups that are only mentioned are included."""

    roles: dict[str, Role] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def roles_of(self, user: User) -> tuple[str, ...]:
        """The user's own roles and those of his groups, sorted."""
        names = set(user.roles)
        for group in user.groups:
            if group in self.groups:
                names.update(self.groups[group].roles)
        return tuple(sorted(names))


def read_users_file(path: Path, properties: Mapping[str, str] | None = None) -> UsersFile:
    """Read the file; ``${...}`` is replaced as in server.xml.

    Raises:
        ConfigurationError: the file cannot be read, is not well-formed, or has a user, group or role without a name.
    """
    root = read_xml(path)
    if root.tag != "tomcat-users":
        raise ConfigurationError(f"expected <tomcat-users>, got <{root.tag}>", root.place)
    replace = Substitution([MappingSource(properties or {})])
    content = UsersFile()
    for element in root.children:
        attributes = {name: replace(attribute.value) for name, attribute in element.attributes.items()}
        match element.tag:
            case "role":
                _add_role(content, element, attributes)
            case "group":
                _add_group(content, element, attributes)
            case "user":
                _add_user(content, element, attributes)
    return content


def _name(element: XmlElement, attributes: Mapping[str, str], attribute: str) -> str:
    name = attributes.get(attribute, attributes.get("name"))
    if not name:
        raise ConfigurationError(f"<{element.tag}> needs the attribute {attribute}", element.place)
    return name


def _mention(content: UsersFile, roles: Iterable[str], groups: Iterable[str] = ()) -> None:
    for name in roles:
        content.roles.setdefault(name, Role(name))
    for name in groups:
        content.groups.setdefault(name, Group(name))


def _add_role(content: UsersFile, element: XmlElement, attributes: Mapping[str, str]) -> None:
    role = content.roles.setdefault(
        _name(element, attributes, "rolename"), Role(_name(element, attributes, "rolename"))
    )
    role.description = role.description or attributes.get("description")


def _add_group(content: UsersFile, element: XmlElement, attributes: Mapping[str, str]) -> None:
    name = _name(element, attributes, "groupname")
    group = content.groups.setdefault(name, Group(name))
    group.description = group.description or attributes.get("description")
    _extend(group.roles, comma_list(attributes.get("roles", "")))
    _mention(content, group.roles)


def _add_user(content: UsersFile, element: XmlElement, attributes: Mapping[str, str]) -> None:
    """Add a user. As in Tomcat, a second entry for a user adds groups and roles; the first password stands."""
    name = _name(element, attributes, "username")
    full_name = attributes.get("fullName", attributes.get("fullname"))
    user = content.users.setdefault(name, User(name, attributes.get("password"), full_name))
    user.full_name = user.full_name or full_name
    _extend(user.groups, comma_list(attributes.get("groups", "")))
    _extend(user.roles, comma_list(attributes.get("roles", "")))
    _mention(content, user.roles, user.groups)


def _extend(names: list[str], more: Iterable[str]) -> None:
    names.extend(name for name in more if name not in names)


def write_users_file(path: Path, content: UsersFile) -> None:
    """Replace the file in one step, so that readers find the old or the new one, complete. Raises OSError."""
    lines = [HEAD]
    lines += [f"  <role{_attributes(rolename=r.name, description=r.description)}/>\n" for r in content.roles.values()]
    lines += [
        f"  <group{_attributes(groupname=g.name, description=g.description, roles=','.join(g.roles))}/>\n"
        for g in content.groups.values()
    ]
    lines += [
        "  <user"
        + _attributes(
            username=u.name,
            password=u.password,
            fullName=u.full_name,
            groups=",".join(u.groups),
            roles=",".join(u.roles),
        )
        + "/>\n"
        for u in content.users.values()
    ]
    lines.append("</tomcat-users>\n")
    new = path.with_name(path.name + ".new")
    # The file has passwords, so others must not read it, as with Tomcat's own umask.
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "w", encoding="utf-8") as out:
        out.writelines(lines)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def _attributes(**values: str | None) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value is not None)
