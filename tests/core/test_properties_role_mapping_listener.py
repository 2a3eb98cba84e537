from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalina.core.properties_role_mapping_listener import PropertiesRoleMappingListener
from catalina.core.standard_context import StandardContext
from catalina.errors import LifecycleError
from catalina.lifecycle import LifecycleEvent
from tests.support.stand_in import stand_in


def mapped(root: Path, **attributes: str) -> Any:
    context = stand_in(StandardContext, document_root=root, role_mappings={})
    listener = PropertiesRoleMappingListener(**attributes)
    listener(LifecycleEvent(context, "configure_start"))
    return context.role_mappings


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("webapp:/WEB-INF/role-mapping.properties", "WEB-INF/role-mapping.properties"),
        ("classpath:roles.properties", "WEB-INF/classes/roles.properties"),
    ],
)
def test_roles_of_the_application_stand_for_roles_of_the_realm(tmp_path: Path, name: str, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("admin = cn=admins,dc=example\nnobody =\n")
    assert mapped(tmp_path, role_mapping_file=name) == {"admin": "cn=admins,dc=example"}


def test_a_file_outside_may_be_named_and_keys_chosen_by_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("app.role.admin=chief\nother=x")
    url = (tmp_path / "roles").as_uri()
    assert mapped(tmp_path, role_mapping_file=url, key_prefix="app.role.") == {"admin": "chief"}


def test_a_missing_file_stops_the_application(tmp_path: Path) -> None:
    with pytest.raises(
        LifecycleError, match=r"Failed to load role mapping file \[.*role-mapping.properties\]: No such"
    ):
        mapped(tmp_path)


def test_an_empty_name_stops_the_application(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="Role mapping file cannot be empty"):
        mapped(tmp_path, role_mapping_file=" ")
