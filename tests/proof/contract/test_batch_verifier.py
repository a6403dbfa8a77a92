"""The contract's public values of a batch are those of table `batch`, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from novate.l1.abi import ContractError, load
from novate.l1.anvil import CHAIN_ID, Anvil
from novate.l1.client import L1, Contract
from novate.l1.deploy import creation_gas
from novate.l1.wallet import Transaction
from novate.lab.verifier_contract import verifier_artifacts
from novate.spec.crypto.goldilocks import P
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES
from novate.spec.public_data.header import DataForm, Header, encode_header
from novate.spec.public_data.opening import Carrier, Opening
from novate.tables.batch import POLYNOMIALS, Statement, public_values
from tests.l1.chain import START, running

SETTLEMENT = 0x00FEDCBA98765432100123456789ABCDEF000001


@pytest.fixture(name="adapter", scope="module")
def _adapter() -> Iterator[tuple[L1, Contract]]:
    with running(Anvil(START)) as chain:
        artifacts = [load(name) for name in ("Header", "Goldilocks", "BatchPublicValues")]
        chain.l1.errors = type(chain.l1.errors)([*verifier_artifacts(), *artifacts])
        artifact = load("BatchVerifier")
        code = artifact.creation(0x1234)
        receipt = chain.l1.transact(chain.wallet(), Transaction(None, code, creation_gas(code)))
        assert receipt.created is not None
        yield chain.l1, Contract(artifact, receipt.created)


def element(random: Random) -> int:
    return random.choice([0, 1, P - 1, random.randrange(P)])


def digest(random: Random) -> tuple[int, int, int, int]:
    return element(random), element(random), element(random), element(random)


def statement(random: Random, count: int) -> Statement:
    """Random fields, the largest and smallest among them."""
    header = Header(
        version=1,
        form=random.choice(list(DataForm)),
        reset_slots=random.random() < 0.5,
        number=random.choice([0, 2**32 - 1, random.getrandbits(32)]),
        time=random.getrandbits(32),
        fork=random.getrandbits(32),
        venue_epoch=random.getrandbits(32),
        inbox_before=random.choice([0, 2**63 - 1, random.getrandbits(63)]),
        inbox_after=random.getrandbits(63),
        parameters=digest(random),
        settlement_root_before=digest(random),
        root_before=digest(random),
        settlement_root_after=digest(random),
        root_after=digest(random),
    )
    scalars = [random.choice([0, MODULUS - 1, random.randrange(MODULUS)]) for _ in range(count + 1)]
    polynomials = [
        (random.choice(list(Carrier)), random.randint(0, POLYNOMIAL_BYTES)) for _ in range(count)
    ]
    return Statement(
        encode_header(header),
        Opening(digest(random), scalars[0], tuple(scalars[1:])),
        polynomials,
        random.randint(0, count),
        random.getrandbits(160),
        CHAIN_ID,
        SETTLEMENT,
    )


def on_l1(given: Statement) -> tuple[object, ...]:
    """The same as the interface has it."""
    polynomials = [
        (int(carrier), length, value)
        for (carrier, length), value in zip(given.polynomials, given.opening.values, strict=True)
    ]
    data_digest = b"".join(x.to_bytes(8, "little") for x in given.opening.digest)
    opening = (data_digest, given.opening.point, given.data_polynomials, polynomials)
    return given.header, opening, given.payee


@pytest.mark.parametrize("count", range(POLYNOMIALS + 1))
def test_public_values_are_those_of_the_table(adapter: tuple[L1, Contract], count: int) -> None:
    l1, contract = adapter
    random = Random(count)
    for _ in range(3):
        given = statement(random, count)
        values = l1.view(contract, "publicValues", on_l1(given), SETTLEMENT)
        assert list(values) == list(public_values(given).values())


def refusal(adapter: tuple[L1, Contract], given: tuple[object, ...]) -> str:
    """The error, as text."""
    l1, contract = adapter
    with pytest.raises(ContractError) as caught:
        l1.view(contract, "publicValues", given, SETTLEMENT)
    return str(caught.value)


def test_refuses_what_no_proof_can_be_of(adapter: tuple[L1, Contract]) -> None:
    header, opening, payee = on_l1(statement(Random(9), 2))
    assert isinstance(opening, tuple) and isinstance(header, bytes)
    data, point, data_count, ((carrier, length, value), second) = opening
    many = [second] * (POLYNOMIALS + 1)
    wrong = {
        "field=polynomials": (header, (data, point, data_count, many), payee),
        "field=data_polynomials": (header, (data, point, 3, [second] * 2), payee),
        "field=point": (header, (data, MODULUS, 0, []), payee),
        "field=value": (header, (data, point, 0, [(carrier, length, MODULUS)]), payee),
        "field=length": (header, (data, point, 0, [(carrier, POLYNOMIAL_BYTES + 1, value)]), payee),
        "DigestNotCanonical": (header, (b"\xff" * 32, point, 0, []), payee),
        "HeaderLength": (header[:-1], opening, payee),
        "HeaderByte": (b"\2" + header[1:], opening, payee),
        "InboxCursorTooLarge": (header[:19] + b"\x80" + header[20:], opening, payee),
    }
    for name, given in wrong.items():
        assert name in refusal(adapter, given)
