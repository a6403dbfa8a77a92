"""The state rebuilt from L1 alone equals the venue's, through forms, carriers, reverts and lies."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from novate import cli
from novate.engine import border
from novate.l1.abi import load
from novate.l1.anvil import Anvil
from novate.l1.history import History
from novate.l1.rebuild import (
    CHECKPOINT_EVERY,
    Progress,
    Rebuild,
    SpecificationLaw,
    StateCodec,
    Unlawful,
    digest_bytes,
    read_checkpoint,
)
from novate.l1.rebuild_command import UNLAWFUL, UNREADABLE, main, specification_law
from novate.l1.rpc import L1Error
from novate.l1.submission import submission_of
from novate.lab.vector_json import Decoder, Encoder
from novate.lab.worlds import START
from novate.spec.errors import DecodeError
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from novate.spec.state import State
from tests.l1.test_submitter import opened
from tests.l1.venue import TERMS, L1Venue, deployed


def encode_state(state: State) -> bytes:
    encoder = Encoder()
    encoded = encoder.encode(state)
    return json.dumps([encoder.shared, encoded]).encode()


def decode_state(data: bytes) -> State:
    try:
        shared, encoded = json.loads(data)
        state = Decoder(shared).decode(encoded)
    except (ValueError, KeyError, TypeError) as error:
        raise DecodeError("state", str(error)) from error
    assert isinstance(state, State)
    return state


JSON_CODEC = StateCodec(encode_state, decode_state)
"""States as JSON: slow, and independent of what production uses."""


class Rebuilder:
    """A rebuild of a venue, with what it reported."""

    def __init__(self, venue: L1Venue, folder: Path) -> None:
        self.reports: list[Progress] = []
        self.rebuild = Rebuild(
            venue.l1.rpc,
            load("Settlement"),
            folder,
            law=lambda state: SpecificationLaw(state, venue.world.primitives),
            codec=JSON_CODEC,
            primitives=venue.world.primitives,
            report=self.reports.append,
        )

    def catch_up(self, history: History, last: int | None = None) -> State:
        return self.rebuild.catch_up(history, last)


def without_slots(state: State) -> State:
    return replace(state, slots={})


def trade_batches(venue: L1Venue) -> None:
    """Seven committed batches: full, full in blobs, diff, diff in blobs, and full after a reset."""
    opened(venue)
    for form, carrier, reset in [
        (DataForm.FULL, Carrier.BLOB, False),
        (DataForm.DIFF, Carrier.CALLDATA, False),
        (DataForm.DIFF, Carrier.BLOB, False),
        (DataForm.FULL, Carrier.CALLDATA, True),
    ]:
        venue.begin(reset_slots=reset)
        venue.trade(1, 2, lots=1 + venue.nonce)
        venue.seal(form, carrier)
    venue.work(venue.submitter())
    assert venue.history().committed == 7


def test_every_form_and_carrier_rebuilds_to_the_venue_s_state(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        trade_batches(venue)
        history = venue.history()
        for number, exact in [(4, True), (5, False), (6, False), (7, True)]:
            rebuilder = Rebuilder(venue, tmp_path / f"out{number}")
            state = rebuilder.catch_up(history, number)
            expected = venue.states[number]
            assert expected.slots
            assert state == (expected if exact else without_slots(expected))
            assert [report.number for report in rebuilder.reports] == [*range(1, number + 1)]
        assert [report.form for report in rebuilder.reports][4:] == [
            DataForm.DIFF,
            DataForm.DIFF,
            DataForm.FULL,
        ]


def test_the_genesis_is_on_l1(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        history = venue.history()
        assert history.first_state() == venue.states[0]
        assert Rebuilder(venue, tmp_path / "out").catch_up(history) == venue.states[0]
        digest, data = history.parameters[0]
        history.parameters[0] = (digest, data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(L1Error, match="do not lead to the settlement root"):
            Rebuilder(venue, tmp_path / "other").catch_up(history)
        with pytest.raises(L1Error, match="begin at an earlier block"):
            Rebuilder(venue, tmp_path / "none").catch_up(History())


def test_a_rebuild_goes_on_from_its_files(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        trade_batches(venue)
        history, folder = venue.history(), tmp_path / "out"
        Rebuilder(venue, folder).catch_up(history, 5)
        again = Rebuilder(venue, folder)
        assert again.catch_up(history) == venue.states[7]
        assert [report.number for report in again.reports] == [6, 7]
        assert Rebuilder(venue, folder).catch_up(history) == venue.states[7]
        live = Rebuilder(venue, tmp_path / "live")
        live.catch_up(history, 6)
        live.catch_up(history)
        assert [report.number for report in live.reports] == [*range(1, 8)]
        assert CHECKPOINT_EVERY > 7  # so that only ends of runs were written above


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.work(venue.submitter())
        Rebuilder(venue, folder).catch_up(venue.history())
        (path,) = folder.glob("*.state")
        content = path.read_bytes()
        assert read_checkpoint(path, JSON_CODEC).state == venue.states[3]
        for damaged in (content[:-1], content[:40] + b"\x00" + content[41:], b"", b"novate"):
            path.write_bytes(damaged)
            with pytest.raises(L1Error, match=path.name):
                Rebuilder(venue, folder).catch_up(venue.history())


def test_a_reorg_takes_the_rebuilt_state_back(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        trade_batches(venue)
        follower, history = venue.follower(), History()
        history.follow(follower)
        rebuilder = Rebuilder(venue, tmp_path / "out")
        rebuilder.catch_up(history, 5)
        assert rebuilder.catch_up(history) == venue.states[7]
        venue.chain.control.reorg(2)
        assert history.follow(follower)
        assert history.committed == 5
        assert rebuilder.catch_up(history) == without_slots(venue.states[5])
        venue.work(venue.submitter())
        history.follow(follower)
        assert rebuilder.catch_up(history) == venue.states[7]
        assert [report.number for report in rebuilder.reports] == [1, 2, 3, 4, 5, 6, 7, 6, 7]


@pytest.mark.parametrize("form", list(DataForm))
def test_a_false_root_is_found(tmp_path: Path, form: DataForm) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.work(venue.submitter())
        venue.begin()
        venue.trade(1, 2)
        honest = venue.seal(form)
        header = honest.header._replace(settlement_root_after=(1, 2, 3, 4))
        venue.queue.put(honest._replace(header=header))
        venue.work(venue.submitter())
        rebuilder = Rebuilder(venue, tmp_path / "out")
        with pytest.raises(Unlawful, match="settlement root") as caught:
            rebuilder.catch_up(venue.history())
        assert caught.value.number == 4
        assert rebuilder.rebuild.number == 3


def test_payments_that_the_law_does_not_owe_are_found(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.work(venue.submitter())
        venue.begin()
        honest = venue.seal()
        payment = (1).to_bytes(4, "big") + bytes(19) + b"\x07" + (5).to_bytes(8, "big")
        stolen = honest.calldata[:-4] + (1).to_bytes(4, "big") + payment
        primitives = venue.world.primitives
        venue.queue.put(
            submission_of(honest.header, honest.data, stolen, Carrier.CALLDATA, primitives)
        )
        venue.work(venue.submitter())
        with pytest.raises(Unlawful, match="requests or payments"):
            Rebuilder(venue, tmp_path / "out").catch_up(venue.history())


@pytest.mark.parametrize(
    ("form", "why"), [(DataForm.FULL, "the law refuses it"), (DataForm.DIFF, "not a difference")]
)
def test_data_that_are_no_batch_are_found(tmp_path: Path, form: DataForm, why: str) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.begin()
        honest = venue.seal(form)
        data, primitives = honest.data + b"\x01", venue.world.primitives
        venue.queue.put(
            submission_of(honest.header, data, honest.calldata, Carrier.CALLDATA, primitives)
        )
        venue.work(venue.submitter())
        with pytest.raises(Unlawful, match=why):
            Rebuilder(venue, tmp_path / "out").catch_up(venue.history())


def test_reverted_batches_are_not_read(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.begin()
        venue.trade(1, 2)
        venue.seal(DataForm.DIFF)
        venue.work(venue.submitter())
        follower, history = venue.follower(), History()
        history.follow(follower)
        folder = tmp_path / "out"
        rebuilder = Rebuilder(venue, folder)
        rebuilder.catch_up(history, 3)
        rebuilder.catch_up(history)
        venue.chain.control.mine(TERMS.proof_deadline + 1)
        parent, batch = history.standing[3].struct, history.standing[4].struct
        venue.send(0, "settlement", "revertUnproven", parent, batch, gas=1_000_000)
        history.follow(follower)
        assert (history.committed, history.fork, history.reverts) == (3, 1, 1)
        assert rebuilder.catch_up(history) == venue.states[3]
        assert len(rebuilder.reports) == 4  # the file of batch 3 was read, no batch again


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laws = {"specification": specification_law}
    with deployed(Anvil(START), tmp_path) as venue:
        trade_batches(venue)
        address = f"{venue.deployment.addresses['settlement']:#x}"
        words = ["--rpc", venue.l1.rpc.url, "--settlement", address, "--out", str(tmp_path / "out")]
        assert main([*words, "--confirmations", "0"], laws, JSON_CODEC) == 0
        said = capsys.readouterr().out
        roots = venue.states[7].roots
        assert roots is not None
        assert f"0x{digest_bytes(roots.settlement_root).hex()}" in said
        assert "batch 7 of 7 (full)" in said
        assert main([*words, "--confirmations", "0", "--final"], laws, JSON_CODEC) == 0
        assert "batch            0 of 7 committed, 0 final" in capsys.readouterr().out
        venue.begin()
        honest = venue.seal()
        venue.queue.put(honest._replace(header=honest.header._replace(root_after=(1, 2, 3, 4))))
        venue.work(venue.submitter())
        assert main([*words, "--confirmations", "0"], laws, JSON_CODEC) == UNLAWFUL
        assert "UNLAWFUL: batch 8: root" in capsys.readouterr().err
        other = [*words[:2], "--settlement", "0x1234", *words[4:]]
        assert main(other, laws, JSON_CODEC) == UNREADABLE
    assert main(words, laws, JSON_CODEC) == UNREADABLE
    assert "novate rebuild:" in capsys.readouterr().err


def test_the_compiled_engine_rebuilds_the_same_state_through_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        trade_batches(venue)
        address = f"{venue.deployment.addresses['settlement']:#x}"
        out = tmp_path / "out"
        words = ["rebuild", "--rpc", venue.l1.rpc.url, "--settlement", address, "--out", str(out)]
        assert cli.main([*words, "--confirmations", "0"]) == 0
        roots = venue.states[7].roots
        assert roots is not None
        assert f"0x{digest_bytes(roots.settlement_root).hex()}" in capsys.readouterr().out
        codec = StateCodec(partial(border.encode, State), partial(border.decode, State))
        found = read_checkpoint(out / "0000000007.state", codec)
        assert found.state == venue.states[7]
        for path in out.iterdir():
            path.unlink()
        assert cli.main([*words, "--confirmations", "0", "--law", "specification"]) == 0
        assert read_checkpoint(out / "0000000007.state", codec) == found
