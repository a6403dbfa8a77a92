"""`vectors/law`: the law still gives what they say, and they show every rule."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from novate.lab.law_vectors import Case, expectation, vector
from novate.lab.vector_json import Decoder, Encoder
from novate.native import NativePrimitives
from novate.spec.batch import apply_batch
from novate.spec.crypto import SpecPrimitives
from novate.spec.errors import Fault, Reason
from novate.spec.journal import LiquidationStage, RequestOutcome, SnapshotOutcome
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import Batch, Due, SideKind
from novate.spec.messages.inbox import Request
from novate.spec.public_data.calldata import calldata_of, decode_calldata, encode_calldata
from novate.spec.public_data.diff import apply_diff, encode_diff
from novate.spec.public_data.full import decode_full, encode_full
from novate.spec.public_data.header import DataForm, decode_header, encode_header, header_from

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "law"
FILES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "public_data")
SAMPLE_EVERY = 40
"""The readable cryptography replays one vector in so many."""


@cache
def read(name: str) -> tuple[Decoder, list[Any]]:
    """A file's decoder and vectors."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    return Decoder(content["shared"]), content["vectors"]


@cache
def cases(name: str) -> list[tuple[str, Case, dict[str, Any]]]:
    """Name, state with batch, and expectation of every vector of a file."""
    decoder, vectors = read(name)
    found = []
    for each in vectors:
        case = Case(decoder.decode(each["before"]), decoder.decode(each["batch"]))
        found.append((each["name"], case, each["expected"]))
    return found


def resolved(decoder: Decoder, value: Any) -> Any:
    """An expectation with every law value decoded."""
    if isinstance(value, dict) and not any(key.startswith("$") for key in value):
        return {key: resolved(decoder, item) for key, item in value.items()}
    return decoder.decode(value)


def again(case: Case, primitives: Any) -> Any:
    """What comes of a case now, as JSON and back."""
    encoder = Encoder()
    encoded = json.loads(json.dumps(vector(encoder, "", case, primitives)["expected"]))
    return resolved(Decoder(encoder.shared), encoded)


def test_there_are_vectors() -> None:
    assert len(FILES) >= 10
    assert sum(len(cases(name)) for name in FILES) >= 300
    assert sum(path.stat().st_size for path in FOLDER.parent.rglob("*.json")) <= 2_000_000


@pytest.mark.parametrize("name", FILES)
def test_the_law_gives_what_the_vectors_say(name: str) -> None:
    decoder, _ = read(name)
    primitives = NativePrimitives()
    for label, case, expected in cases(name):
        assert again(case, primitives) == resolved(decoder, expected), label


def test_the_readable_cryptography_gives_the_same() -> None:
    primitives = SpecPrimitives()
    listed = [(name, each) for name in FILES for each in cases(name)]
    for name, (label, case, expected) in listed[::SAMPLE_EVERY]:
        decoder, _ = read(name)
        assert again(case, primitives) == resolved(decoder, expected), f"{name}: {label}"


def test_a_changed_batch_does_not_pass_for_the_vector() -> None:
    """Guards the tests above: they can fail."""
    decoder, _ = read("trade")
    label, case, expected = cases("trade")[0]
    later = case.batch.rounds[0]._replace(time=case.batch.rounds[0].time + 5)
    changed = Case(case.before, case.batch._replace(rounds=(later,)))
    assert again(changed, NativePrimitives()) != resolved(decoder, expected), label


def all_expectations() -> list[dict[str, Any]]:
    """Every expectation, decoded."""
    return [resolved(read(name)[0], expected) for name in FILES for _, _, expected in cases(name)]


def rows(name: str) -> list[Any]:
    """Every row of one list of all expected journals."""
    return [row for each in all_expectations() for row in each.get("journal", {}).get(name, ())]


def test_every_reason_and_fault_has_a_vector() -> None:
    found = {each["reason"] for each in all_expectations() if "reason" in each}
    found |= {entry.reason for entry in rows("requests")}
    assert {str(reason) for reason in (*Reason, *Fault)} <= found


def test_every_outcome_and_stage_has_a_vector() -> None:
    assert {entry.outcome for entry in rows("requests")} == set(RequestOutcome)
    assert {entry.outcome for entry in rows("snapshots")} == set(SnapshotOutcome)
    assert {entry.stage for entry in rows("liquidations")} == set(LiquidationStage)
    assert {entry.by_expiry for entry in rows("settlements")} == {True, False}


def accepted_batches() -> list[Batch]:
    """Every batch that is accepted."""
    return [
        case.batch for name in FILES for _, case, expected in cases(name) if "error" not in expected
    ]


def test_every_kind_of_transaction_has_an_accepted_vector() -> None:
    rounds = [content for batch in accepted_batches() for content in batch.rounds]
    for phase, kinds in (("changes", Change), ("due", Due), ("moves", Move)):
        found = {type(each) for content in rounds for each in getattr(content, phase)}
        assert found == set(get_args(kinds))
    trades = [trade for content in rounds for trade in content.trades]
    fills = [fill for trade in trades for fill in trade.fills]
    assert {side.kind for f in fills for side in (f.buyer, f.seller)} == set(SideKind)
    assert any(len(trade.fills) > 1 for trade in trades)
    done = {type(e.request) for e in rows("requests") if e.outcome != RequestOutcome.NO_OP}
    assert done == set(get_args(Request))
    assert any(batch.reset_slots for batch in accepted_batches())
    assert any(batch.parameters for batch in accepted_batches())


def test_public_data_is_what_the_vectors_say() -> None:
    decoder, vectors = read("public_data")
    primitives = NativePrimitives()
    for each in vectors:
        before, batch = decoder.decode(each["before"]), decoder.decode(each["batch"])
        journal = apply_batch(before, batch, primitives)
        full, diff = bytes.fromhex(each["full"]), bytes.fromhex(each["diff"])
        assert (encode_full(batch), encode_diff(journal)) == (full, diff), each["name"]
        assert decode_full(full, before.preset) == batch
        after = journal.after
        assert after is not None
        assert apply_diff(before, diff) == replace(after, slots={})  # slots are not published
        calldata = bytes.fromhex(each["calldata"])
        assert encode_calldata(calldata_of(journal)) == calldata
        assert decode_calldata(calldata, before.preset) == calldata_of(journal)
        for form in DataForm:
            header = header_from(batch, journal, form, primitives)
            encoded = bytes.fromhex(each["headers"][form.name.lower()])
            assert encode_header(header) == encoded
            assert decode_header(encoded) == header


def test_expectations_name_errors_by_their_family() -> None:
    for each in all_expectations():
        if "error" in each:
            assert each["error"] in ("Rejection", "InvalidBatch", "DecodeError")
    _, case, _ = cases("trade")[0]
    assert set(expectation(case, NativePrimitives())) == {
        *("roots_before", "roots_after", "changed", "journal")
    }
