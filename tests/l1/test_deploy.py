"""Predicted addresses, constructors filled by name, and deployments that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from novate.l1.abi import Artifact, ContractError, load
from novate.l1.anvil import Anvil
from novate.l1.deploy import (
    NAMES,
    ORDER,
    constructor_arguments,
    predicted_address,
    read_deployment,
)
from novate.l1.rpc import L1Error, address_hex
from novate.lab.worlds import START
from tests.l1.chain import running
from tests.l1.venue import TERMS, deploy_venue, deployed, require_contracts

CODE_BYTES_MAX = 24_576
"""EIP-170."""


@pytest.mark.parametrize(
    ("nonce", "address"),
    [  # a published table: ethereum.stackexchange.com/q/760
        (0, 0xCD234A471B72BA2F1CCF0A70FCABA648A5EECD8D),
        (1, 0x343C43A37D37DFF08AE8C4A11544C718ABB4FCF8),
        (2, 0xF778B86FA74E846C4F0A1FBD1335FE81C00A0C91),
        (3, 0xFFFD933A0BC612844EAF0C6FE3E5B8E9B6C1D19C),
    ],
)
def test_addresses_are_predicted(nonce: int, address: int) -> None:
    assert predicted_address(0x6AC7EA33F8831EA9DCC53393AAA88B25A785DBF0, nonce) == address


def test_everything_is_where_it_was_predicted_and_small_enough(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        assert set(venue.deployment.addresses) == set(ORDER)
        for role in ORDER:
            address = address_hex(venue.deployment.addresses[role])
            code = venue.l1.rpc.call("eth_getCode", address, "latest")
            assert 0 < len(code) // 2 - 1 <= CODE_BYTES_MAX, role
        path = tmp_path / "deployment.json"
        venue.deployment.save(path)
        assert read_deployment(path) == venue.deployment
        path.write_text("{}")
        with pytest.raises(L1Error, match="not a deployment"):
            read_deployment(path)


def test_the_parameters_name_chain_and_contract(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        parameters = venue.states[0].parameters
        assert parameters.chain_id == venue.deployment.chain_id
        assert parameters.settlement_contract == venue.deployment.addresses["settlement"]


def test_terms_that_contradict_each_other_are_refused_by_name(tmp_path: Path) -> None:
    require_contracts()
    terms = replace(TERMS, challenge_bond=1)
    with running(Anvil(START)) as chain, pytest.raises(ContractError) as caught:
        deploy_venue(chain, tmp_path, "RejectingVerifier", terms)
    assert caught.value.arguments["field"] == "challengeBond"
    assert caught.value.arguments["value"] == 1


def test_constructors_are_filled_by_name() -> None:
    inner = [{"name": "b", "type": "uint8"}, {"name": "c", "type": "uint8"}]
    inputs = [
        {"name": "a_", "type": "uint8"},
        {"name": "set_", "type": "tuple", "components": inner},
        {"name": "own", "type": "tuple", "components": inner[:1]},
    ]
    artifact = Artifact("Some", ({"type": "constructor", "inputs": inputs},), b"\x00")
    known = {"a": 1, "b": 2, "c": 3, "own": {"b": 4}}
    assert constructor_arguments(artifact, known) == [1, (2, 3), (4,)]
    with pytest.raises(L1Error, match="asks for 'c'"):
        constructor_arguments(artifact, {"a": 1, "b": 2})
    assert constructor_arguments(Artifact("None", (), b"\x00"), {}) == []


def test_every_contract_of_the_list_is_built() -> None:
    require_contracts()
    for name in NAMES.values():
        assert load(name).bytecode
