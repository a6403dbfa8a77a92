"""The door to the engine: errors by their families, states on demand, calls out of turn."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from novate.engine import Engine, EngineError, TooWide
from novate.engine.changes import CHAIN_MAX
from novate.lab.generator import Generated, Generator
from novate.lab.twin_venue import require_same_journal
from novate.lab.worlds import START, perpetual
from novate.native import NativePrimitives
from novate.spec.batch import apply_batch
from novate.spec.commitment import commit
from novate.spec.errors import DecodeError, InvalidBatch, Rejection
from novate.spec.journal import Health
from novate.spec.messages.account import SetTier
from novate.spec.messages.batch import SideKind, SideOf, Touch, Trade
from novate.spec.messages.inbox import Deposit
from novate.spec.messages.orders import Authorization
from novate.spec.presets import MINIMAL
from novate.spec.public_data.full import decode_full
from novate.spec.state import State
from tests.spec.kit import BTC, BTC_PERP, CASH, ETH, Act, Stage, ready_state


@pytest.fixture(scope="module")
def items() -> list[Generated]:
    """More generated batches than a chain of states holds."""
    return list(islice(Generator(10).batches(), CHAIN_MAX + 6))


def opened(state: State | None = None) -> Engine:
    """An engine with an open round five seconds after a state, the ready one by default."""
    state = state or ready_state()
    engine = Engine(state)
    engine.begin()
    engine.open(state.system.time + 5)
    return engine


def test_states_are_made_when_asked_for(items: list[Generated]) -> None:
    engine = Engine(items[0].before)
    journals = [engine.apply(item.batch) for item in items]
    assert engine.state() == items[-1].journal.after
    for item, journal in zip(items[::-1], journals[::-1], strict=True):
        assert journal.before == item.before
        assert journal.after == item.journal.after


def test_a_journal_outlives_its_engine(items: list[Generated]) -> None:
    engine = Engine(items[0].before)
    journal = engine.apply(items[0].batch)
    del engine
    assert journal.after == items[0].journal.after
    assert journal.fills == items[0].journal.fills


def test_roots_are_those_from_scratch() -> None:
    engine = Engine(ready_state())
    assert engine.roots() == commit(ready_state(), NativePrimitives())


def test_errors_come_by_their_families() -> None:
    engine = opened()
    with pytest.raises(Rejection) as rejected:
        engine.bring(Touch(99))
    assert rejected.value.reason == "unknown_account"
    with pytest.raises(InvalidBatch) as invalid:
        Engine(ready_state()).begin(parameters=replace(ready_state().parameters, markets=()))
    assert invalid.value.reason == "immutable_parameter"
    with pytest.raises(DecodeError) as undecodable:
        Engine(ready_state()).apply_data(b"")
    assert undecodable.value.reason == "truncated"


def test_a_number_too_wide_is_named_as_such() -> None:
    engine = opened()
    with pytest.raises(TooWide):
        engine.bring(Touch(2**64))
    with pytest.raises(TooWide):
        engine.mark(2**64)


def test_a_state_that_contradicts_itself_is_refused() -> None:
    state = ready_state()
    poor = replace(state, accounts={k: v for k, v in state.accounts.items() if k != 1})
    with pytest.raises(DecodeError):
        Engine(poor)
    with pytest.raises(EngineError, match="counted"):
        Engine(replace(state, system=replace(state.system, account_count=9)))


def test_calls_out_of_turn_are_refused() -> None:
    engine = Engine(ready_state())
    with pytest.raises(EngineError, match="no batch"):
        engine.open(START)
    engine.begin()
    with pytest.raises(EngineError, match="no round"):
        engine.close()
    with pytest.raises(EngineError, match="no round"):
        engine.health(1)
    engine.open(ready_state().system.time + 5)
    with pytest.raises(EngineError, match="is open"):
        engine.open(ready_state().system.time + 10)
    with pytest.raises(EngineError, match="is open"):
        engine.seal()
    with pytest.raises(EngineError, match="is open"):
        engine.dump()
    engine.bring(Touch(1))
    with pytest.raises(EngineError, match="changes come before"):
        engine.change(SetTier(1, 1))


def test_an_abandoned_batch_leaves_no_trace() -> None:
    engine = opened()
    engine.change(SetTier(1, 1))
    engine.abandon()
    assert engine.dump() == Engine(ready_state()).dump()
    engine.begin()
    engine.open(ready_state().system.time + 5, (), [Deposit(5, 7, 7, 1)])
    engine.begin()
    engine.open(ready_state().system.time + 5)
    engine.close()
    assert engine.seal().journal.requests == []


def with_a_trade(lots: int) -> tuple[Engine, Act, int]:
    """An open round in which accounts 1 and 2 may trade; what they signed; the mark."""
    state = ready_state()
    stage = Stage(state)
    engine = Engine(state)
    engine.begin()
    act = stage.round().prices(BTC).prices(ETH)
    engine.open(act.time, act.reports)
    price = engine.mark(BTC_PERP)
    return engine, act.fill(1, 2, price=price, quantity=lots), price


def test_a_traded_round_is_sealed_without_the_orders_nobody_filled() -> None:
    engine, act, price = with_a_trade(10)
    idle = act.orders[0]._replace(message=act.orders[0].message._replace(nonce=77))
    assert engine.read_order(idle) == 0
    assert engine.read_orders(act.orders) == 1
    moved = {kind: kind._replace(number=kind.number + 1) for kind in sides(act.trades[0])}
    [leg] = act.trades[0].fills
    fill = leg._replace(buyer=moved[leg.buyer], seller=moved[leg.seller])
    engine.trade(Trade((fill,)))
    assert (engine.position(1, BTC_PERP), engine.position(2, BTC_PERP)) == (10, -10)
    engine.close()
    sealed = engine.seal()
    assert sealed.batch.rounds[0].orders == tuple(act.orders)
    assert sealed.journal.fills[0].fill == leg
    assert decode_full(sealed.data, MINIMAL) == sealed.batch
    again = Engine(ready_state())
    require_same_journal(
        apply_batch(ready_state(), sealed.batch, NativePrimitives()), sealed.journal
    )
    assert again.apply_data(sealed.data).roots_after == engine.roots()
    assert price > 0


def sides(trade: Trade) -> list[SideOf]:
    """Both sides of every fill."""
    return [side for fill in trade.fills for side in (fill.buyer, fill.seller)]


def test_whose_margin_refused_is_blamed() -> None:
    engine, act, _ = with_a_trade(10_000_000)
    engine.read_orders(act.orders)
    with pytest.raises(Rejection) as refused:
        engine.trade(act.trades[0])
    assert refused.value.reason == "insufficient_margin"
    assert engine.blamed == 1
    assert engine.account(1).positions == ()
    with pytest.raises(Rejection):
        engine.bring(Touch(99))
    assert engine.blamed is None


def test_health_is_that_of_the_account_as_if_it_had_filled() -> None:
    engine, act, price = with_a_trade(100)
    assert engine.health(1) == Health(CASH, 0, 0)
    expected = engine.health_after(1, [(BTC_PERP, 100, price)])
    engine.read_orders(act.orders)
    engine.trade(act.trades[0])
    found = engine.health(1)
    assert found._replace(equity=expected.equity) == expected
    fee = engine.account(1).cash - (CASH - 100 * price)
    assert found.equity == expected.equity + fee
    assert engine.below_maintenance() == []


def test_what_only_looks_changes_nothing() -> None:
    engine, act, price = with_a_trade(100)
    engine.health_after(1, [(BTC_PERP, 10**6, price), (perpetual(ETH), -5, 1)])
    engine.position(1, BTC_PERP)
    engine.below_maintenance()
    with pytest.raises(Rejection):
        engine.health(99)
    with pytest.raises(Rejection):
        engine.mark(3)
    assert engine.holders_of_settled() == []
    engine.close()
    sealed = engine.seal()
    law = apply_batch(ready_state(), sealed.batch, NativePrimitives())
    require_same_journal(law, sealed.journal)
    assert not act.trades[0].fills[0].price < 0


def test_a_signature_found_bad_stays_bad() -> None:
    engine, act, _ = with_a_trade(10)
    signature = act.orders[0].authorization.signature
    forged = signature._replace(e0=signature.e0 ^ 1)
    bad = act.orders[0]._replace(authorization=Authorization(forged))
    for _ in range(3):
        place = engine.read_orders([bad, act.orders[1]])
        places = SideOf(SideKind.ORDER, place), SideOf(SideKind.ORDER, place + 1)
        [leg] = act.trades[0].fills
        with pytest.raises(Rejection, match="invalid_signature"):
            engine.trade(Trade((leg._replace(buyer=places[0], seller=places[1]),)))
        engine.read_orders(act.orders)
