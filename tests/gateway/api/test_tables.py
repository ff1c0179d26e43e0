"""The tables of the control API agree with each other and with what they speak of."""

from __future__ import annotations

from typing import get_args, get_type_hints

from gateway.api.bodies import ProtectionBody
from gateway.api.operations import OPERATIONS
from gateway.api.rights import RIGHTS
from protection.protections import PRESETS
from tests.gateway.api.test_rights import CALLS


def test_every_operation_has_its_rights_and_is_called_in_the_tests_of_rights() -> None:
    assert {operation.name for operation in OPERATIONS} == set(RIGHTS) == set(CALLS)


def test_no_two_operations_share_a_method_and_a_path() -> None:
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_body_of_a_protection_names_every_preset() -> None:
    assert set(get_args(get_type_hints(ProtectionBody)["preset"])) == set(PRESETS)
