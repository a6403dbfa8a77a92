"""Deploys a venue: all contracts from one account, whose nonces give their addresses beforehand.

The contracts refer to each other and none can be changed, so each is told addresses that do not
exist yet: of the creations that follow. The parameters name the settlement contract (it is part of
every signature's domain) and the genesis roots cover the parameters, so the settlement contract is
told roots that were computed from its own predicted address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from novate.l1.abi import Artifact, load
from novate.l1.blobs import rlp_bytes, rlp_list
from novate.l1.client import L1, Contract
from novate.l1.files import write_atomically
from novate.l1.rebuild import digest_bytes
from novate.l1.rpc import L1Error, Rpc, address_hex
from novate.l1.wallet import GAS_MAX, L1Wallet, Transaction
from novate.spec.commitment import commit
from novate.spec.genesis import genesis
from novate.spec.parameters import Parameters
from novate.spec.presets import Preset
from novate.spec.primitives import Primitives
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.state import State

DAY_BLOCKS: Final = 7_200
"""L1 blocks of twelve seconds."""
VERIFIER: Final = "RejectingVerifier"
ORDER: Final = ("verifier", "leaves", "parameters", "vault", "inbox", "keys", "settlement")
"""Creations in the order of nonces; each may refer to all others."""
NAMES: Final = {
    "leaves": "LeafVerifier",
    "parameters": "ParameterRegistry",
    "vault": "Vault",
    "inbox": "Inbox",
    "keys": "KeyRegistry",
    "settlement": "Settlement",
}


@dataclass(frozen=True)
class Terms:
    """What a deployment fixes. Defaults are those of design and documentation; ether in wei."""

    lag_max: int = 86_400
    """Seconds by which a header's time may lag behind its block."""
    halt_max: int = 7 * 86_400
    challenge_window: int = 3 * DAY_BLOCKS
    """Blocks. With the time to commit a request it must fit the time for it to be final."""
    proof_time: int = 2 * DAY_BLOCKS
    proof_deadline: int = 2 * DAY_BLOCKS
    request_commit_time: int = 3 * DAY_BLOCKS
    liquidation_commit_time: int = 300
    request_final_time: int = 7 * DAY_BLOCKS
    pause_max: int = 14 * DAY_BLOCKS
    pending_max: int = 4_096
    sequencer_bond: int = 10**18
    challenge_bond: int = 2 * 10**17
    proving_cost: int = 10**17
    timelock: int = 30 * 86_400
    """Seconds."""
    outflow_limit: int = 10**12
    """Micro-USDC a day."""
    base_fee: int = 10**13
    """wei for a request to an empty inbox."""


class Deployment(NamedTuple):
    """A venue on L1."""

    chain_id: int
    block: int
    """Of the first creation: readers begin here."""
    token: int
    addresses: Mapping[str, int]
    """By the roles of `ORDER`."""
    verifier: str
    """Name of the verifier's contract."""
    terms: Terms

    def contract(self, role: str) -> Contract:
        """One of its contracts, with the ABI that forge left."""
        return Contract(load(NAMES.get(role, self.verifier)), self.addresses[role])

    def client(self, rpc: Rpc) -> L1:
        """A client that can read the errors of its contracts."""
        return client_of(rpc, self.verifier)

    def save(self, path: Path) -> None:
        """Write it down for the processes of a node."""
        content = self._asdict() | {"terms": asdict(self.terms), "addresses": dict(self.addresses)}
        write_atomically(path, json.dumps(content, indent=1).encode())


def client_of(rpc: Rpc, verifier: str) -> L1:
    """A client that can read the errors of every contract of a venue."""
    return L1(rpc, [load(name) for name in (*NAMES.values(), verifier)])


def read_deployment(path: Path) -> Deployment:
    """What `Deployment.save` wrote. L1Error if the file is not of it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Deployment(**(content | {"terms": Terms(**content["terms"])}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise L1Error(f"{path}: not a deployment: {error!r}") from error


def predicted_address(deployer: int, nonce: int) -> int:
    """The address that an account's creation with this nonce gets (yellow paper, section 7)."""
    counted = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    encoded = rlp_list([rlp_bytes(deployer.to_bytes(20, "big")), rlp_bytes(counted)])
    return int.from_bytes(keccak(encoded)[12:], "big")


def constructor_arguments(artifact: Artifact, known: Mapping[str, object]) -> list[object]:
    """The arguments of a constructor, by the names it gives them (a trailing `_` aside).

    A structure is filled from the mapping of its name if there is one, else from `known`. L1Error
    for a name that nothing is known of.
    """
    inputs = [item["inputs"] for item in artifact.abi if item["type"] == "constructor"]
    return [_argument(artifact.name, item, known) for item in (inputs[0] if inputs else [])]


def _argument(contract: str, item: Any, known: Mapping[str, object]) -> object:
    """The value of one input."""
    name = str(item["name"]).rstrip("_")
    value = known.get(name)
    if item["type"] == "tuple" and (value is None or isinstance(value, Mapping)):
        inner = value if isinstance(value, Mapping) else known
        return tuple(_argument(contract, component, inner) for component in item["components"])
    if value is None:
        raise L1Error(f"{contract}: its constructor asks for {name!r}, which is not known here")
    return value


class Deployed(NamedTuple):
    """A deployment and the first state of the venue."""

    deployment: Deployment
    state: State


def deploy(
    l1: L1,
    wallet: L1Wallet,
    *,
    preset: Preset,
    parameters: Parameters,
    treasury: int,
    token: int,
    sequencers: tuple[int, ...],
    primitives: Primitives,
    time: int,
    terms: Terms = Terms(),
    verifier: str = VERIFIER,
) -> Deployed:
    """Deploy a venue; the parameters are given its chain and its settlement contract.

    `time`: genesis time, not after the next block. The deployer governs. L1Error if a creation
    fails or another transaction of the account came between.
    """
    l1 = client_of(l1.rpc, verifier)
    nonce = l1.nonce(wallet.address)
    addresses = {
        role: predicted_address(wallet.address, nonce + place) for place, role in enumerate(ORDER)
    }
    parameters = replace(
        parameters, chain_id=l1.chain_id(), settlement_contract=addresses["settlement"]
    )
    state = genesis(preset, parameters, treasury, time)
    known = _known(state, addresses, terms, token, wallet.address, sequencers, primitives)
    first = None
    for role in ORDER:
        artifact = load(NAMES.get(role, verifier))
        own = known | known["of"].get(role, {})
        code = artifact.creation(*constructor_arguments(artifact, own))
        receipt = l1.transact(wallet, Transaction(None, code, creation_gas(code)))
        if receipt.created != addresses[role]:
            raise L1Error(f"{role}: created at {receipt.created}, predicted {addresses[role]}")
        first = receipt.block if first is None else first
    assert first is not None, "there are creations"
    return Deployed(
        Deployment(parameters.chain_id, first, token, addresses, verifier, terms), state
    )


def creation_gas(code: bytes) -> int:
    """A bound above the gas of a creation: 200 a byte kept, 42 a byte sent, and first storage."""
    return min(GAS_MAX, 1_500_000 + 300 * len(code))


def _known(
    state: State,
    addresses: Mapping[str, int],
    terms: Terms,
    token: int,
    governor: int,
    sequencers: tuple[int, ...],
    primitives: Primitives,
) -> dict[str, Any]:
    """What constructors may ask for, by name; under `of`, what one contract means by a name."""
    preset, roots = state.preset, commit(state, primitives)
    data = bytearray()
    parameters_codec(preset).write(data, state.parameters)
    by_camel = {camel(field.name): getattr(terms, field.name) for field in fields(terms)}
    return by_camel | {
        **addresses,
        "keyRegistry": addresses["keys"],
        "token": token,
        "governor": governor,
        "sequencers": list(sequencers),
        "sequencer": sequencers[0],
        "preset": preset.name,
        "treasury": state.accounts[0].owner,
        "time": state.system.time,
        "settlementRoot": digest_bytes(roots.settlement_root),
        "root": digest_bytes(roots.root),
        "requestsMax": preset.inbox_max,
        "accountsMax": preset.accounts_max,
        "marketDepth": preset.market_depth,
        "of": {"parameters": {"genesis": bytes(data)}},
    }


def camel(name: str) -> str:
    """`lag_max` as `lagMax`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def deploy_token(l1: L1, wallet: L1Wallet) -> Contract:
    """A token of six decimals that anyone may mint: for tests and the demo."""
    artifact = load("MockToken")
    code = artifact.creation(*constructor_arguments(artifact, {}))
    receipt = l1.transact(wallet, Transaction(None, code, creation_gas(code)))
    assert receipt.created is not None, "a creation that succeeded has an address"
    return Contract(artifact, receipt.created)


def describe(deployment: Deployment) -> str:
    """The addresses, one a line."""
    lines = [f"{role:<11} {address_hex(found)}" for role, found in deployment.addresses.items()]
    return "\n".join([*lines, f"{'token':<11} {address_hex(deployment.token)}"])
