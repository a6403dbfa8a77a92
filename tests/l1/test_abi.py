"""Encodings against published selectors, topics and error data of the Solidity documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from novate.l1.abi import Artifact, Errors, canonical, load, split_tuple
from novate.l1.rpc import L1Error, RpcError


def field(kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, **more}


INFO = field("tuple", "info", components=[field("uint64", "number"), field("address", "who")])
TOKEN = Artifact(
    "Token",
    (
        {"type": "constructor", "inputs": [field("uint256", "supply")]},
        {
            "type": "function",
            "name": "transfer",
            "inputs": [field("address", "to"), field("uint256", "amount")],
            "outputs": [field("bool")],
        },
        {
            "type": "function",
            "name": "put",
            "inputs": [INFO, field("tuple[]", "list", components=INFO["components"])],
            "outputs": [INFO, field("uint256", "size")],
        },
        {
            "type": "event",
            "name": "Transfer",
            "inputs": [
                field("address", "from", indexed=True),
                field("address", "to", indexed=True),
                field("uint256", "value", indexed=False),
            ],
        },
        {
            "type": "error",
            "name": "InsufficientBalance",
            "inputs": [field("uint256", "available"), field("uint256", "required")],
        },
    ),
    bytes.fromhex("6001"),
)
WORD = 32


def word(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def test_calls_have_the_published_selector_and_words() -> None:
    data = TOKEN.call("transfer", 0x1234, 5)
    assert data == bytes.fromhex("a9059cbb") + word(0x1234) + word(5)
    assert TOKEN.arguments(data) == ("transfer", {"to": 0x1234, "amount": 5})


def test_structs_and_lists_of_structs_pass_both_ways() -> None:
    value = (7, 0xAB)
    data = TOKEN.call("put", value, [value, (8, 0xCD)])
    name, arguments = TOKEN.arguments(data)
    assert TOKEN.function("put").signature == "put((uint64,address),(uint64,address)[])"
    assert name == "put"
    assert arguments == {"info": (7, 0xAB), "list": ((7, 0xAB), (8, 0xCD))}
    assert TOKEN.result("put", word(7) + word(0xAB) + word(3)) == ((7, 0xAB), 3)
    assert TOKEN.result("transfer", word(1)) is True


def test_events_have_the_published_topic() -> None:
    topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert TOKEN.topic("Transfer").hex() == topic
    raw = {
        "address": "0x" + "11" * 20,
        "topics": ["0x" + topic, "0x" + word(1).hex(), "0x" + word(2).hex()],
        "data": "0x" + word(9).hex(),
        "blockNumber": "0x3",
        "blockHash": "0xaa",
        "transactionHash": "0xbb",
        "logIndex": "0x4",
    }
    log = TOKEN.log(raw)
    assert log is not None
    assert log.arguments == {"from": 1, "to": 2, "value": 9}
    assert (log.name, log.block, log.place) == ("Transfer", 3, 4)
    assert TOKEN.log(raw | {"topics": ["0x" + "00" * 32]}) is None
    assert TOKEN.log(raw | {"topics": []}) is None


def test_errors_are_named_with_their_arguments() -> None:
    errors = Errors([TOKEN])
    # The example of the documentation: Error(string) "Not enough Ether provided."
    text = bytes.fromhex("08c379a0") + word(0x20) + word(0x1A)
    text += b"Not enough Ether provided.".ljust(WORD, b"\0")
    assert str(errors.of(text)) == "Error(reason=Not enough Ether provided.)"
    assert str(errors.of(bytes.fromhex("4e487b71") + word(0x11))) == (
        "Panic(reason=arithmetic overflow)"
    )
    found = errors.of(bytes.fromhex("cf479181") + word(1) + word(2), "Token.transfer")
    assert (found.name, found.arguments) == ("InsufficientBalance", {"available": 1, "required": 2})
    assert str(found) == "Token.transfer: InsufficientBalance(available=1, required=2)"
    assert errors.of(bytes.fromhex("cf479181") + word(1)).name == "Undecodable"
    assert errors.of(b"\x01\x02\x03\x04").name == "UnknownError"
    assert errors.of(b"").name == "Reverted"


def test_only_reverts_become_errors_of_contracts() -> None:
    errors = Errors([TOKEN])
    away = RpcError("eth_call", -32000, "nonce too low")
    assert errors.raised(away) is away
    assert str(errors.raised(RpcError("eth_call", 3, "execution reverted"))) == "Reverted()"


def test_wrong_arguments_are_refused_with_the_name() -> None:
    for arguments in [(), (1,), (1, -1), (1, "a"), (1, 2**256), (2**160, 1)]:
        with pytest.raises(L1Error, match=r"Token\.transfer"):
            TOKEN.call("transfer", *arguments)
    with pytest.raises(L1Error, match="no function 'burn'"):
        TOKEN.call("burn")
    with pytest.raises(L1Error, match="no event 'Burn'"):
        TOKEN.topic("Burn")
    with pytest.raises(L1Error):
        TOKEN.result("transfer", b"\x01")
    with pytest.raises(L1Error):
        TOKEN.arguments(b"\x00\x00\x00\x00")


def test_creation_appends_the_constructor_s_words() -> None:
    assert TOKEN.creation(5) == bytes.fromhex("6001") + word(5)
    with pytest.raises(L1Error, match="interface"):
        Artifact("IToken", (), b"").creation()


def test_nested_tuples_are_split_at_the_top_level() -> None:
    nested = field("tuple[2]", components=[field("bytes"), INFO])
    assert canonical(nested) == "(bytes,(uint64,address))[2]"
    assert split_tuple("(bytes,(uint64,address)[],uint8)") == [
        "bytes",
        "(uint64,address)[]",
        "uint8",
    ]
    assert split_tuple("()") == []


def test_artifacts_are_found_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "Other.sol"
    folder.mkdir()
    content: dict[str, Any] = {"abi": [], "bytecode": {"object": "0x6001", "linkReferences": {}}}
    (folder / "Token.json").write_text(json.dumps(content))
    assert load("Token", tmp_path).bytecode == b"\x60\x01"
    content["bytecode"]["linkReferences"] = {"src/Library.sol": {}}
    (folder / "Token.json").write_text(json.dumps(content))
    with pytest.raises(L1Error, match=r"src/Library\.sol"):
        load("Token", tmp_path)
    with pytest.raises(L1Error, match="0 artifacts"):
        load("Vault", tmp_path)


def test_artifacts_of_several_compiler_profiles(tmp_path: Path) -> None:
    """The plain one, then the default profile's, then the only one that there is."""
    folder = tmp_path / "Fields.sol"
    folder.mkdir()
    codes = {"Fields.fast": "0x01", "Fields.default": "0x02", "Fields": "0x03"}
    for file, code in codes.items():
        content = {"abi": [], "bytecode": {"object": code, "linkReferences": {}}}
        (folder / f"{file}.json").write_text(json.dumps(content))
        assert load("Fields", tmp_path).bytecode.hex() == code[2:]
    for file in ("Fields", "Fields.default"):
        (folder / f"{file}.json").rename(folder / f"Other{file}.small.json")
    (folder / "Fields.small.json").write_text(json.dumps(content))
    with pytest.raises(L1Error, match="2 artifacts"):
        load("Fields", tmp_path)
