"""A result is shared, so it cannot be changed."""

from __future__ import annotations

import dataclasses

import pytest

from catalina.mapper.mapping_data import MappingData, MappingMatch


def test_a_result_cannot_be_changed_by_one_of_the_requests_that_share_it() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MappingData().servlet_path = "/x"  # type: ignore[misc]  # that is the point


def test_the_matches_have_the_names_of_the_servlet_specification() -> None:
    assert {match.value for match in MappingMatch} == {"CONTEXT_ROOT", "DEFAULT", "EXACT", "EXTENSION", "PATH"}
