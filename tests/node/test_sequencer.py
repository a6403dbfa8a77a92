"""The sequencer on a small world: what is refused, what fills, when rounds and batches end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from novate.book.orders import SelfTrade
from novate.lab.play.scene import (
    FIRST,
    INDEX,
    LIMITS,
    PERPETUAL,
    SEQUENCER_KEY,
    USDC,
    Node,
    Scene,
    open_venue,
    perform,
    play,
    start_node,
)
from novate.node.log import read_log
from novate.node.receipts import Venue, verify_receipts
from novate.node.records import (
    BeginBatch,
    ChangeIn,
    Input,
    OpenRound,
    SealBatch,
    SealedBatch,
    SealRound,
    Stamped,
    decode_stamped,
)
from novate.node.restart import log_folder
from novate.node.sequencer import Ack, next_fixing
from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.instruments import expiry_time
from novate.spec.messages.account import SetTier
from novate.spec.messages.orders import OrderFlags, Quote

NOW = FIRST + 20


class Stage:
    """An open venue and its clock."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene()
        self.folder = folder
        self.node: Node = start_node(folder, self.scene.world.state)
        open_venue(self.scene, self.node)
        self.now = NOW
        self.tell(INDEX)

    def tell(self, price: int, pass_s: int = 0) -> None:
        """Time passes, the oracles report."""
        self.now += pass_s
        self.scene.report(self.node.sequencer, self.now - self.now % 5, price)
        self.node.sequencer.tick(1_000 * self.now)

    def send(self, *inputs: Input) -> list[Ack]:
        return self.node.sequencer.take(inputs, 1_000 * self.now)

    def reasons(self, *inputs: Input) -> list[str]:
        return [ack.reason for ack in self.send(*inputs)]

    def held(self, account: int, instrument: int = PERPETUAL) -> int:
        return self.node.sequencer.desk.engine.position(account, instrument)

    def records(self) -> list[Stamped]:
        preset = self.scene.world.state.preset
        return [
            decode_stamped(entry.payload, preset) for entry in read_log(log_folder(self.folder))
        ]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_an_order_rests_and_fills_with_signed_receipts(stage: Stage) -> None:
    [rests] = stage.send(stage.scene.order(1, PERPETUAL, 100, INDEX))
    assert (rests.reason, rests.filled, rests.open) == ("", 0, 100)
    [fills] = stage.send(stage.scene.order(2, PERPETUAL, -30, INDEX - 5))
    assert (fills.reason, fills.filled, fills.open) == ("", 30, 0)
    assert (stage.held(1), stage.held(2)) == (30, -30)
    receipts = [ack.receipt for ack in (rests, fills) if ack.receipt is not None]
    parameters = stage.scene.world.state.parameters
    venue = Venue(parameters.chain_id, parameters.settlement_contract)
    assert verify_receipts(SEQUENCER_KEY, venue, receipts, stage.scene.primitives) == [True, True]
    entries = {entry.sequence: entry for entry in read_log(log_folder(stage.folder))}
    for receipt in receipts:
        assert entries[receipt.sequence].running_hash == receipt.running_hash


def test_what_nobody_signed_is_not_logged(stage: Stage) -> None:
    order = stage.scene.order(1, PERPETUAL, 100, INDEX)
    forged = order._replace(
        signed=order.signed._replace(message=order.signed.message._replace(quantity=101))
    )
    unknown = order._replace(
        signed=order.signed._replace(message=order.signed.message._replace(account=40))
    )
    before = stage.node.log.sequence
    acks = stage.send(forged, unknown)
    assert [ack.reason for ack in acks] == ["invalid_signature", "unknown_account"]
    assert [ack.receipt for ack in acks] == [None, None]
    assert stage.node.log.sequence == before


def test_a_slot_takes_newer_nonces_only(stage: Stage) -> None:
    first = stage.scene.order(1, PERPETUAL, 10, INDEX - 100, slot=2)
    newer = stage.scene.order(1, PERPETUAL, 20, INDEX - 200, slot=2)
    assert stage.reasons(first, newer) == ["", ""]
    assert len(stage.node.sequencer.desk.floor.orders.by_id) == 1
    assert stage.reasons(first) == ["stale_nonce"]
    assert stage.reasons(stage.scene.cancel(1, 2)) == [""]
    assert stage.reasons(newer) == ["stale_nonce"]
    assert stage.reasons(stage.scene.cancel(1, 2)) == ["nothing_in_slot"]


def test_a_revision_keeps_what_is_filled(stage: Stage) -> None:
    order = stage.scene.order(1, PERPETUAL, 100, INDEX, slot=1)
    nonce = order.signed.message.nonce
    assert stage.reasons(order, stage.scene.order(2, PERPETUAL, -40, INDEX)) == ["", ""]
    [ack] = stage.send(stage.scene.order(1, PERPETUAL, 60, INDEX - 10, slot=1, nonce=nonce))
    assert (ack.reason, ack.open) == ("", 20)
    other = stage.scene.order(1, PERPETUAL, -60, INDEX + 900, slot=1, nonce=nonce)
    assert stage.reasons(other) == ["revision_differs"]
    [ack] = stage.send(stage.scene.order(1, PERPETUAL, 40, INDEX, slot=1, nonce=nonce))
    assert (ack.reason, ack.open) == ("", 0)
    assert stage.node.sequencer.desk.floor.orders.by_id == {}


def test_fill_or_kill_is_one_trade_or_none(stage: Stage) -> None:
    rests = [stage.scene.order(k, PERPETUAL, 10, INDEX - k, slot=3) for k in (1, 2, 3)]
    assert stage.reasons(*rests) == [""] * 3
    kill = int(OrderFlags.FILL_OR_KILL)
    assert stage.reasons(stage.scene.order(4, PERPETUAL, -31, INDEX - 9, flags=kill)) == [
        "fill_or_kill"
    ]
    assert stage.held(4) == 0
    [ack] = stage.send(stage.scene.order(4, PERPETUAL, -25, INDEX - 9, slot=1, flags=kill))
    assert (ack.reason, ack.filled) == ("", 25)
    assert [stage.held(k) for k in (1, 2, 3, 4)] == [10, 10, 5, -25]
    trades = stage.node.sequencer.desk.engine.venue.round.trades  # type: ignore[attr-defined]
    assert [len(trade.fills) for trade in trades] == [3]


def test_reduce_only_never_turns_a_position(stage: Stage) -> None:
    stage.send(
        stage.scene.order(1, PERPETUAL, 10, INDEX),
        stage.scene.order(2, PERPETUAL, -10, INDEX),
        stage.scene.order(3, PERPETUAL, 50, INDEX - 1),
    )
    only = int(OrderFlags.REDUCE_ONLY)
    [ack] = stage.send(stage.scene.order(1, PERPETUAL, -30, INDEX - 9, slot=4, flags=only))
    assert ack.filled == 10
    assert stage.held(1) == 0
    assert stage.held(3) == 10


def test_an_order_that_cannot_be_carried_is_refused(stage: Stage) -> None:
    lots = 100_000 * USDC * 10 // INDEX
    assert stage.reasons(stage.scene.order(1, PERPETUAL, lots * 10, INDEX)) == [
        "insufficient_margin"
    ]
    half = lots // 4
    first = stage.scene.order(1, PERPETUAL, half, INDEX - 500, slot=1)
    more = [stage.scene.order(1, PERPETUAL, half, INDEX - 600, slot=k) for k in range(2, 8)]
    found = stage.reasons(first, *more)
    assert found[0] == ""
    assert "insufficient_margin" in found, "open orders count together"


def test_orders_that_no_longer_fit_go_before_any_fill(stage: Stage) -> None:
    lots = 100_000 * USDC * 5 // INDEX
    [ack] = stage.send(stage.scene.order(1, PERPETUAL, lots, INDEX))
    assert ack.reason == ""
    for step in range(1, 8):
        stage.tell(INDEX * (100 - 2 * step) // 100, pass_s=10)
    assert stage.node.sequencer.desk.floor.orders.of_account(1) == []
    [sold] = stage.send(stage.scene.order(2, PERPETUAL, -1, INDEX * 86 // 100))
    assert sold.filled == 0


def test_a_trigger_waits_for_the_snapshot_that_meets_it(stage: Stage) -> None:
    above = int(OrderFlags.TRIGGER_ABOVE)
    stop = stage.scene.order(
        1, PERPETUAL, 5, INDEX + 90_000, slot=6, flags=above, trigger=INDEX + 50_000
    )
    stage.send(stage.scene.order(2, PERPETUAL, -50, INDEX + 60_000))
    [ack] = stage.send(stop)
    assert (ack.reason, ack.filled, ack.open) == ("", 0, 5)
    stage.tell(INDEX + 40_000, pass_s=10)
    assert stage.held(1) == 0
    stage.tell(INDEX + 55_000, pass_s=10)
    assert stage.held(1) == 5


def test_cancel_all_ends_orders_now_and_its_epoch_next_round(stage: Stage) -> None:
    scene = stage.scene
    stage.send(scene.order(1, PERPETUAL, 5, INDEX - 10), scene.order(2, PERPETUAL, 5, INDEX - 20))
    assert stage.reasons(scene.cancel_all(1)) == [""]
    assert [w.account for w in stage.node.sequencer.desk.floor.orders.by_id.values()] == [2]
    late = scene.order(1, PERPETUAL, 5, INDEX - 10)
    assert stage.reasons(late) == ["invalid_signature"], "the law still reads the old epoch"
    stage.tell(INDEX, pass_s=10)
    assert stage.node.sequencer.desk.engine.account(1).cancel_epoch == 1
    assert stage.reasons(scene.order(1, PERPETUAL, 5, INDEX - 10, slot=1)) == [""]
    assert [notice.reason for notice in stage.node.sequencer.notices] == [""]


def test_between_a_change_and_its_round_nothing_of_the_account_enters(stage: Stage) -> None:
    scene = stage.scene
    order = scene.order(1, PERPETUAL, 5, INDEX - 10)
    assert stage.reasons(scene.cancel_all(1), order) == ["", "change_pending"]


def test_a_tier_is_set_with_the_next_round(stage: Stage) -> None:
    assert stage.reasons(ChangeIn(SetTier(1, 2))) == [""]
    stage.tell(INDEX, pass_s=10)
    assert stage.node.sequencer.desk.engine.account(1).tier == 2


def test_a_withdrawal_is_done_when_the_round_is_sealed(stage: Stage) -> None:
    [ack] = stage.send(stage.scene.withdrawal(1, 40_000 * USDC))
    [much] = stage.send(stage.scene.withdrawal(2, 400_000 * USDC))
    assert ack.reason == much.reason == ""
    engine = stage.node.sequencer.desk.engine
    assert engine.account(1).cash == 100_000 * USDC
    stage.tell(INDEX, pass_s=10)
    assert engine.account(1).cash == 60_000 * USDC
    assert ack.receipt is not None
    assert much.receipt is not None
    said = {notice.sequence: notice.reason for notice in stage.node.sequencer.notices}
    assert said[ack.receipt.sequence] == ""
    assert said[much.receipt.sequence] == "insufficient_margin"


def test_quotes_trade_and_are_replaced(stage: Stage) -> None:
    quote = (Quote(PERPETUAL, INDEX - 50, 20, INDEX + 50, 20),)
    assert stage.reasons(stage.scene.sheet(1, quote)) == [""]
    [ack] = stage.send(stage.scene.order(2, PERPETUAL, 5, INDEX + 50))
    assert ack.filled == 5
    wider = (Quote(PERPETUAL, INDEX - 500, 7, INDEX + 500, 7),)
    assert stage.reasons(stage.scene.sheet(1, wider)) == [""]
    assert sorted(w.open for w in stage.node.sequencer.desk.floor.orders.by_id.values()) == [7, 7]


def test_self_trade_follows_the_takers_mode(stage: Stage) -> None:
    scene = stage.scene
    mode = SelfTrade.CANCEL_TAKER
    rests = scene.order(1, PERPETUAL, 5, INDEX, slot=1)
    crosses = scene.order(1, PERPETUAL, -5, INDEX, slot=2, self_trade=mode)
    stage.send(rests, crosses)
    assert [w.slot for w in stage.node.sequencer.desk.floor.orders.by_id.values()] == [1]


def test_rounds_end_on_drift_and_on_age(stage: Stage) -> None:
    opened = stage.node.sequencer.desk.round_time
    stage.tell(INDEX * 1_003 // 1_000, pass_s=5)
    assert stage.node.sequencer.desk.round_time == opened, "30 bps are no drift, 5 s no age"
    stage.tell(INDEX * 1_006 // 1_000, pass_s=5)
    assert stage.node.sequencer.desk.round_time == opened + 10
    stage.tell(INDEX * 1_012 // 1_000, pass_s=5)
    assert stage.node.sequencer.desk.round_time == opened + 15, "60 bps since the round opened"
    stage.tell(INDEX * 1_012 // 1_000, pass_s=10)
    assert stage.node.sequencer.desk.round_time == opened + 25, "10 s are its age here"


def test_sealed_rounds_and_batches_respect_every_limit(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for group in play(stage.scene, 7, 240):
        perform(stage.scene, stage.node, group)
    rounds = fills_max = 0
    number = 0
    last_open = 0
    for stamped in stage.records():
        match stamped.record:
            case BeginBatch():
                rounds = 0
            case OpenRound(time=time):
                rounds += 1
                assert rounds <= LIMITS.rounds_per_batch
                assert time % ORACLE_GRID_S == 0
                assert time >= last_open
                last_open = time
            case SealRound():
                assert stamped.now < next_fixing(last_open) + 2 * LIMITS.round_age_s
            case SealBatch():
                number += 1
            case SealedBatch():
                assert stamped.record.number == number
    for sealed in range(1, number + 1):
        [kept] = stage.node.archive.batches(sealed)
        fills_max = max(fills_max, len(kept.data))
    assert number >= 8
    assert fills_max > 2_000


def test_size_seals_a_round_within_a_second(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    opened = sum(isinstance(r.record, OpenRound) for r in stage.records())
    pairs: list[Input] = []
    for k in range(30):
        pairs.append(stage.scene.order(1, PERPETUAL, 1, INDEX, slot=k % 8))
        pairs.append(stage.scene.order(2, PERPETUAL, -1, INDEX, slot=k % 8))
    acks = stage.send(*pairs)
    assert sum(ack.filled for ack in acks) == 30
    later = sum(isinstance(r.record, OpenRound) for r in stage.records())
    assert later - opened == 30 // LIMITS.fills_per_round


def test_no_round_is_open_across_the_fixing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    fixing = next_fixing(stage.now)
    while stage.now < fixing + 60:
        stage.tell(
            INDEX, pass_s=min(240, max(1, fixing - 1 - stage.now)) if stage.now < fixing else 7
        )
    opened = [r for r in stage.records() if isinstance(r.record, OpenRound | SealRound)]
    since = 0
    for stamped in opened:
        if isinstance(stamped.record, OpenRound):
            since = stamped.record.time
        elif since < fixing:
            assert stamped.now <= fixing + ORACLE_GRID_S
    assert any(isinstance(r.record, OpenRound) and r.record.time == fixing for r in opened)
    assert expiry_time(0) % 86_400 == fixing % 86_400


def test_the_clock_does_not_go_back(stage: Stage) -> None:
    stage.send(stage.scene.order(1, PERPETUAL, 5, INDEX - 10))
    before = stage.records()[-1].time_ms
    stage.node.sequencer.take([stage.scene.order(2, PERPETUAL, 5, INDEX - 20)], before - 60_000)
    assert stage.records()[-1].time_ms == before


def test_a_reset_of_slots_ends_every_order(stage: Stage) -> None:
    stage.send(stage.scene.order(1, PERPETUAL, 5, INDEX - 10))
    stage.node.sequencer.reset_slots()
    stage.tell(INDEX, pass_s=10)
    assert stage.node.sequencer.desk.floor.orders.by_id == {}
    stage.scene.domain = replace_epoch(stage.scene, 1)
    assert stage.reasons(stage.scene.order(1, PERPETUAL, 5, INDEX - 10)) == [""]


def test_a_change_that_waits_is_void_under_a_new_epoch(stage: Stage) -> None:
    assert stage.reasons(stage.scene.cancel_all(1), ChangeIn(SetTier(2, 1))) == ["", ""]
    stage.node.sequencer.reset_slots()
    stage.tell(INDEX, pass_s=10)
    said = [notice.reason for notice in stage.node.sequencer.notices]
    assert said == ["key_or_epoch_changed", ""]
    assert stage.node.sequencer.desk.engine.account(1).cancel_epoch == 0
    assert stage.node.sequencer.desk.engine.account(2).tier == 1


def replace_epoch(scene: Scene, epoch: int) -> object:
    return scene.domain._replace(venue_epoch=epoch)


def test_new_parameters_come_with_a_batch(stage: Stage) -> None:
    parameters = stage.node.sequencer.desk.parameters
    changed = replace(parameters, step_loss_ppm=parameters.step_loss_ppm + 1)
    stage.node.sequencer.follow_parameters(changed)
    stage.tell(INDEX, pass_s=10)
    assert stage.node.sequencer.desk.parameters == changed
    batch = stage.node.sequencer.stand().batch
    stage.node.sequencer.follow_parameters(changed)
    stage.node.sequencer.tick(1_000 * stage.now)
    assert stage.node.sequencer.stand().batch == batch, "what is in force already brings no batch"
    bad = replace(parameters, chain_id=parameters.chain_id + 1)
    stage.node.sequencer.follow_parameters(bad)
    stage.tell(INDEX, pass_s=10)
    assert stage.node.sequencer.desk.parameters == changed, "what the law refuses stops nothing"
    assert stage.node.sequencer.desk.round_open
