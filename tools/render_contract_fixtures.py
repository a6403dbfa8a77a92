"""Render `contracts/test/rendered/*.json`: what the forge tests of the libraries compare with.

    poseidon2   sponge digests, compressions, paths
    requests    one request of each kind at its bounds, and the rolling hash over all of them
    batches     headers and the contract's part of generated batches: hashes, roots, paths, D, z, y
    refused     the same bytes broken: what the specification refuses, and under which name
    blobs       polynomials in blobs, with KZG commitments and proofs
    leaves      accounts and markets of generated states, with their paths

Everything is computed by the specification from fixed seeds, so rendering again gives the same
bytes. Integers and bytes are hex strings with 0x; `count` is the number of `cases`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src")]

import ckzg  # type: ignore[import-not-found] # noqa: E402 # compiled, comes without stubs
from render_contracts import write_or_compare  # noqa: E402

from novate.l1.blobs import blob_of, trusted_setup, versioned_hash  # noqa: E402
from novate.lab.generator import Generator  # noqa: E402
from novate.lab.generator.drive import Generated  # noqa: E402
from novate.spec import layout  # noqa: E402
from novate.spec.bounds import AMOUNT_MAX, GOLDILOCKS, OWNER_MAX  # noqa: E402
from novate.spec.commitment import market_digests  # noqa: E402
from novate.spec.crypto import SpecPrimitives, goldilocks, merkle  # noqa: E402
from novate.spec.crypto.sponge import compress, hash_elements, tag_element  # noqa: E402
from novate.spec.errors import DecodeError  # noqa: E402
from novate.spec.inclusion import LeafProof, prove_account, prove_market  # noqa: E402
from novate.spec.messages.inbox import (  # noqa: E402
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
    Request,
)
from novate.spec.presets import MAIN  # noqa: E402
from novate.spec.primitives import Digest  # noqa: E402
from novate.spec.public_data import withdrawals  # noqa: E402
from novate.spec.public_data.blob import ELEMENT_BYTES, POLYNOMIAL_BYTES  # noqa: E402
from novate.spec.public_data.calldata import (  # noqa: E402
    EMPTY_INBOX,
    calldata_of,
    decode_calldata,
    encode_calldata,
    extend_inbox,
    inbox_after,
)
from novate.spec.public_data.codec import encode  # noqa: E402
from novate.spec.public_data.diff import encode_diff  # noqa: E402
from novate.spec.public_data.full import encode_full  # noqa: E402
from novate.spec.public_data.header import (  # noqa: E402
    DataForm,
    Header,
    decode_header,
    encode_header,
    header_from,
)
from novate.spec.public_data.opening import (  # noqa: E402
    Carrier,
    Opening,
    Part,
    open_data,
    parts_of,
)
from novate.spec.public_data.requests import REQUEST  # noqa: E402
from novate.spec.state import Market  # noqa: E402

OUTPUT = ROOT / "contracts" / "test" / "rendered"
PRIMITIVES = SpecPrimitives()
CHAIN_ID = 31_337
SETTLEMENT = 0x5E771E_0000_0000_0000_0000_0000_0000_0000_0000
BATCHES = 60
"""Generated batches; those that `chosen` names become cases."""
REQUESTS = 8
"""Requests of the first case, which pays nobody: its contract's part is requests alone."""
PAYING = 7
"""Cases after it: the batches with the most payments."""
SEED = 17

Json = Any


def draw(label: str, count: int) -> list[int]:
    """`count` field elements drawn from a label."""
    stream = hashlib.shake_256(label.encode()).digest(16 * count)
    starts = range(0, 16 * count, 16)
    return [int.from_bytes(stream[at : at + 16], "little") % GOLDILOCKS for at in starts]


def draw_digest(label: str) -> Digest:
    """A digest drawn from a label."""
    d0, d1, d2, d3 = draw(label, 4)
    return d0, d1, d2, d3


def number(value: int) -> str:
    """An integer."""
    return hex(value)


def numbers(values: Sequence[int]) -> list[str]:
    """Integers."""
    return [hex(value) for value in values]


def octets(data: bytes) -> str:
    """Bytes."""
    return f"0x{data.hex()}"


def word(digest: Digest) -> str:
    """A digest as L1 sees it: 32 bytes."""
    return octets(b"".join(goldilocks.to_bytes(element) for element in digest))


def address(value: int) -> str:
    """An L1 address."""
    return octets(value.to_bytes(20, "big"))


def hashes() -> list[Json]:
    """Sponge digests: every number of elements to three blocks, edges, longer ones."""
    rows = [draw(f"hash {length}", length) for length in range(25)]
    rows += [[GOLDILOCKS - 1] * 12, [0] * 8, [0] * 9, draw("hash long", 300)]
    return [
        {
            "tag": number(tag_element(tag)),
            "elements": numbers(row),
            "digest": word(hash_elements(tag, row)),
        }
        for row in rows
        for tag in (("account", "x") if len(row) < 10 else ("market",))
    ]


def compressions() -> list[Json]:
    """Parents of two nodes."""
    edge: Digest = (GOLDILOCKS - 1,) * 4
    pairs: list[tuple[Digest, Digest]] = [((0, 0, 0, 0), (0, 0, 0, 0)), (edge, edge)]
    pairs += [(draw_digest(f"left {k}"), draw_digest(f"right {k}")) for k in range(14)]
    return [
        {"left": word(left), "right": word(right), "parent": word(compress(left, right))}
        for left, right in pairs
    ]


def paths() -> list[Json]:
    """Roots from paths of 0 to 24 levels."""
    found = []
    for levels, index in ((0, 0), (1, 0), (1, 1), (5, 19), (24, 0xABCDEF)):
        leaf = draw_digest(f"leaf {levels}")
        siblings = [draw_digest(f"sibling {levels} {k}") for k in range(levels)]
        root = merkle.root_from_path(leaf, index, siblings, PRIMITIVES.compress_many)
        found.append(
            {
                "leaf": word(leaf),
                "index": number(index),
                "path": [word(sibling) for sibling in siblings],
                "root": word(root),
            }
        )
    return found


def poseidon2() -> Json:
    """The hash functions of the state."""
    return {"hashes": listed(hashes()), "compressions": listed(compressions())} | {
        "paths": listed(paths())
    }


def listed(cases: list[Json]) -> Json:
    """Cases with their count, which a forge test cannot find out by itself."""
    return {"count": len(cases), "cases": cases}


def sample_requests() -> list[Request]:
    """Every kind at both bounds of its fields, then one in between."""
    top, key = (1 << 24) - 1, draw("key", 5)
    low_key, high_key = (0,) * 5, (GOLDILOCKS - 1,) * 5
    some_key = (key[0], key[1], key[2], key[3], key[4])
    found: list[Request] = []
    for account, who, amount, public in (
        (0, 0, 1, low_key),
        (top, OWNER_MAX, AMOUNT_MAX, high_key),
        (0x010203, 0x1122334455667788990011223344556677889900, 1_234_567, some_key),
    ):
        found += [
            Deposit(account, who, who ^ 1, amount),
            FundDeposit(account & 0xFF, who, amount),
            RegisterKey(account, who, public),
            AllowOwner(account, who, who ^ 2),
            ForcedWithdrawal(account, who, amount),
            ForcedClose(account, who, min(amount, (1 << 50) - 1)),
            ForcedLiquidation(account),
            ForcedCancel(account, who),
        ]
    return found


def request_fields(request: Request) -> Json:
    """The fields of a request by name."""
    fields: dict[str, Json] = {}
    for name, value in request._asdict().items():
        if isinstance(value, tuple):
            fields[name] = numbers(value)
        elif name in ("owner", "sender", "allowed"):
            fields[name] = address(value)
        else:
            fields[name] = number(value)
    return fields


def requests() -> Json:
    """Requests with their bytes, and the inbox's hash after each."""
    rolling, cases = EMPTY_INBOX, []
    for request in sample_requests():
        rolling = extend_inbox(rolling, request)
        data = encode(REQUEST, request)
        cases.append(
            {"fields": request_fields(request), "bytes": octets(data), "hash": octets(rolling)}
        )
    return listed(cases)


class Sample(NamedTuple):
    """What L1 is given of one generated batch."""

    header: bytes
    data: bytes
    calldata: bytes


def samples() -> list[tuple[Generated, Sample]]:
    """The chosen batches, in both forms by turns."""
    generated = list(islice(Generator(SEED).batches(), BATCHES))
    found = []
    for place in chosen(generated):
        each = generated[place]
        form = DataForm(place % 2)
        header = header_from(each.batch, each.journal, form, PRIMITIVES)
        data = encode_diff(each.journal) if place % 2 else encode_full(each.batch)
        calldata = encode_calldata(calldata_of(each.journal))
        found.append((each, Sample(encode_header(header), data, calldata)))
    return found


def chosen(generated: Sequence[Generated]) -> list[int]:
    """Places of the batches that become cases: requests alone, then those that pay most."""
    parts = [calldata_of(each.journal) for each in generated]
    paid = [len(part.payments) for part in parts]
    first = next(
        place
        for place, part in enumerate(parts)
        if len(part.requests) == REQUESTS and not part.payments
    )
    paying = sorted(range(len(parts)), key=lambda place: (-paid[place], place))[:PAYING]
    return [first, *sorted(paying)]


def header_fields(header: Header) -> Json:
    """The fields of a header by name."""
    return {
        name: word(value) if isinstance(value, tuple) else number(int(value))
        for name, value in header._asdict().items()
    }


def payments_of(number_: int, calldata: bytes) -> Json:
    """Root, sum, leaves and paths of the payments of a batch."""
    payments = decode_calldata(calldata, MAIN).payments
    domain = withdrawals.withdrawal_domain(CHAIN_ID, SETTLEMENT)
    leaves = withdrawals.leaves(domain, payments, number_)
    places = range(len(leaves))
    steps = [withdrawals.withdrawal_path(leaves, place) for place in places]
    return {
        "root": octets(withdrawals.withdrawals_root(leaves)),
        "total": number(sum(payment.amount for payment in payments)),
        "leaves": [octets(leaf) for leaf in leaves],
        "levels": len(steps[0]) if steps else 0,
        "paths": [octets(sibling) for path in steps for sibling in path],
    }


def opening_of(opening: Opening, parts: Sequence[Part]) -> Json:
    """D, z and the polynomials with their values."""
    return {
        "digest": word(opening.digest),
        "point": number(opening.point),
        "lengths": numbers([len(part.data) for part in parts]),
        "values": numbers(opening.values),
    }


def batch(sample: Sample) -> Json:
    """One batch as L1 gets it."""
    header = decode_header(sample.header)
    calldata = decode_calldata(sample.calldata, MAIN)
    before = hashlib.sha256(sample.header).digest()
    parts = parts_of(sample.data, sample.calldata, Carrier.CALLDATA)
    opening = open_data(sample.header, parts, [], PRIMITIVES)
    return {
        "header": octets(sample.header),
        "fields": header_fields(header),
        "data": octets(sample.data),
        "calldata": octets(sample.calldata),
        "requests": number(len(calldata.requests)),
        "hash_before": octets(before),
        "hash_after": octets(inbox_after(before, calldata)),
        "payments": payments_of(header.number, sample.calldata),
        "opening": opening_of(opening, parts),
    }


def batches() -> Json:
    """The chosen batches."""
    place = {"chain_id": number(CHAIN_ID), "settlement": address(SETTLEMENT)}
    return place | listed([batch(sample) for _, sample in samples()])


def refusal(decode: Callable[[bytes], object], data: bytes) -> str:
    """The name under which the specification refuses these bytes; they must be refused."""
    try:
        decode(data)
    except DecodeError as error:
        return error.reason
    raise AssertionError(f"accepted: {data.hex()}")


def broken_headers(header: bytes) -> list[bytes]:
    """One header for each check of the decoder."""
    p = GOLDILOCKS.to_bytes(8, "little")
    spoiled = [header[:-1], header + b"\0", b"", b"\0" + header[1:], b"\2" + header[1:]]
    spoiled += [header[:at] + b"\2" + header[at + 1 :] for at in (1, 2)]
    spoiled += [header[:at] + b"\x80" + header[at + 1 :] for at in (19, 27)]
    starts = [start + 8 * k for start in (35, 67, 99, 131, 163) for k in range(4)]
    spoiled += [header[:at] + p + header[at + 8 :] for at in starts]
    return spoiled


def broken_calldata(data: bytes) -> list[bytes]:
    """The contract's part with a count, tag, outcome, amount or length that is wrong."""
    spoiled = [b"", b"\0", b"\0\0\0\0\0", data[:-1], data + b"\0", data[:40], data[:2]]
    spoiled += [data[:2] + b"\x05" + data[3:], data[:3] + b"\x08" + data[4:]]
    spoiled += [b"\x01\x01" + data[2:], b"\xff\xff" + data[2:]]
    spoiled += [b"\0\0\0\0\0\1" + bytes(24) + b"\x80" + bytes(7), b"\0\0\xff\xff\xff\xff"]
    return spoiled


def refused() -> Json:
    """Broken bytes with the specification's names for what is wrong."""
    sample = batch_with_most_requests()
    headers = [
        {"bytes": octets(data), "reason": refusal(decode_header, data)}
        for data in broken_headers(sample.header)
    ]
    calldata = [
        {"bytes": octets(data), "reason": refusal(lambda d: decode_calldata(d, MAIN), data)}
        for data in broken_calldata(sample.calldata)
    ]
    return {"headers": listed(headers), "calldata": listed(calldata)}


def batch_with_most_requests() -> Sample:
    """The first chosen batch: eight requests, no payment."""
    return samples()[0][1]


def expanded(label: str, length: int) -> bytes:
    """Bytes that a forge test makes again: SHA-256 of label ‖ counter 4, one after the other."""
    blocks = (length + 31) // 32
    seed = label.encode()
    stream = b"".join(hashlib.sha256(seed + k.to_bytes(4, "big")).digest() for k in range(blocks))
    return stream[:length]


def blob_case(lengths: Sequence[int], sample: Sample) -> Json:
    """One batch whose data are in blobs."""
    data = expanded("blob", sum(lengths))
    parts = parts_of(data, sample.calldata, Carrier.BLOB)
    setup = trusted_setup()
    blobs = [blob_of(part.data) for part in parts if part.carrier == Carrier.BLOB]
    commitments = [ckzg.blob_to_kzg_commitment(blob, setup) for blob in blobs]
    hashed = [versioned_hash(commitment) for commitment in commitments]
    opening = open_data(sample.header, parts, hashed, PRIMITIVES)
    point = opening.point.to_bytes(ELEMENT_BYTES, "big")
    proofs = [ckzg.compute_kzg_proof(blob, point, setup) for blob in blobs]
    for (_, value), expected in zip(proofs, opening.values, strict=False):
        assert int.from_bytes(value, "big") == expected, "the specification's y is not KZG's"
    return {
        "header": octets(sample.header),
        "calldata": octets(sample.calldata),
        "versioned_hashes": [octets(each) for each in hashed],
        "commitments": [octets(commitment) for commitment in commitments],
        "proofs": [octets(proof) for proof, _ in proofs],
        "opening": opening_of(opening, parts),
    }


def blobs() -> Json:
    """Batches in one and in two blobs, and a long one in calldata to compare evaluation with."""
    sample = samples()[1][1]
    cases = [blob_case(lengths, sample) for lengths in ((1,), (500,), (POLYNOMIAL_BYTES, 62))]
    long = [long_case(length, sample) for length in (31 * 8, 31 * 9, 8_001, POLYNOMIAL_BYTES + 1)]
    return listed(cases) | {"calldata": listed(long)}


def long_case(length: int, sample: Sample) -> Json:
    """A batch with so many bytes of data in calldata, which the test makes from the label."""
    parts = parts_of(expanded("calldata", length), sample.calldata, Carrier.CALLDATA)
    opening = open_data(sample.header, parts, [], PRIMITIVES)
    return {
        "header": octets(sample.header),
        "calldata": octets(sample.calldata),
        "length": number(length),
        "opening": opening_of(opening, parts),
    }


def leaf_case(elements: Sequence[int], proof: LeafProof, root: Digest) -> Json:
    """A leaf with its path and the sections beside it."""
    return {
        "elements": numbers(elements),
        "index": number(proof.place),
        "path": [word(each) for each in proof.path],
        "sections": [word(each) for each in proof.sections],
        "root": word(root),
    }


def market_elements(market: Market) -> list[int]:
    """The market's leaf as the specification hands it to the hash function."""
    rows: list[Sequence[int]] = []

    class Listening(SpecPrimitives):
        """Keeps what is hashed under the market's tag."""

        def hash_many(self, tag: str, given: Sequence[Sequence[int]]) -> list[Digest]:
            """Hash, and remember."""
            if tag == layout.MARKET_TAG:
                rows.extend(given)
            return super().hash_many(tag, given)

    market_digests([market], Listening())
    return list(rows[0])


def leaves() -> Json:
    """Every account and market of a state; and an account in a tree of the main preset's depth."""
    after = samples()[-1][0].journal.after
    roots = samples()[-1][0].journal.roots_after
    assert after is not None
    assert roots is not None
    accounts = [
        leaf_case(
            layout.account_elements(after.accounts[index]),
            prove_account(after, index, PRIMITIVES),
            roots.settlement_root,
        )
        for index in sorted(after.accounts)[:12]
    ]
    markets = [
        leaf_case(
            market_elements(after.markets[place]),
            prove_market(after, place, PRIMITIVES),
            roots.settlement_root,
        )
        for place in range(len(after.markets))
    ]
    return {"accounts": listed(accounts), "markets": listed(markets), "deep": deep_account()}


def deep_account() -> Json:
    """An account with 64 positions in a tree of the main preset's depth: what an escape costs."""
    elements = draw("deep account", 16 + 3 * 64)
    index = 0xFEDCBA
    leaf = hash_elements(layout.ACCOUNT_TAG, elements)
    tree = merkle.build(MAIN.account_depth, {index: leaf}, PRIMITIVES.compress_many)
    sections = [draw_digest(f"section {k}") for k in range(3)] + [merkle.root(tree)]
    root = hash_elements(layout.SETTLEMENT_TAG, [e for section in sections for e in section])
    return leaf_case(elements, LeafProof(index, merkle.path(tree, index), tuple(sections)), root)


def render() -> dict[str, str]:
    """Text of every file by name."""
    sources: tuple[Callable[[], Json], ...] = (
        poseidon2,
        requests,
        batches,
        refused,
        blobs,
        leaves,
    )
    about = "Rendered by tools/render_contract_fixtures.py from the specification. Do not edit."
    return {
        f"{source.__name__}.json": json.dumps({"about": about} | source(), indent=0) + "\n"
        for source in sources
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or with --check compare them; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    return write_or_compare(OUTPUT, render(), arguments.check, Path(__file__).name)


if __name__ == "__main__":
    raise SystemExit(main())
