"""The batch as a whole: every fault, and what its header does."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from novate.spec.batch import apply_batch
from novate.spec.errors import Fault, InvalidBatch, Reason
from novate.spec.genesis import genesis
from novate.spec.messages.account import SetTier
from novate.spec.messages.batch import Trade
from novate.spec.messages.inbox import Deposit, ForcedLiquidation
from novate.spec.parameters import FeeTier, Parameters
from novate.spec.presets import MINIMAL
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, ETH, ETH_PERP, ETH_PRICE, USDC, Stage


def test_wrong_batch_number() -> None:
    stage = Stage()
    number = stage.state.system.batch_number
    for wrong in (number, number + 2):
        stage.refuse(Fault.WRONG_BATCH_NUMBER, stage.round(), number=wrong)
    stage.apply(stage.round(), number=number + 1)


def test_fork_went_back() -> None:
    stage = Stage()
    stage.apply(stage.round(), fork=3)
    assert stage.state.system.fork == 3
    stage.refuse(Fault.FORK_WENT_BACK, stage.round(), fork=2)
    stage.apply(stage.round(), fork=3)
    stage.undecodable(stage.round(), fork=2**64)


def test_a_new_fork_voids_what_was_signed_before() -> None:
    stage = Stage()
    act = stage.round().fill(1, 2, BTC_PRICE, 1)
    stage.refuse(Reason.INVALID_SIGNATURE, act, fork=1)
    stage.apply(stage.round(fork=1).fill(1, 2, BTC_PRICE, 1), fork=1)


def test_wrong_round_count() -> None:
    stage = Stage()
    stage.refuse(Fault.WRONG_ROUND_COUNT)
    stage.refuse(Fault.WRONG_ROUND_COUNT, *[stage.round() for _ in range(5)])
    stage.apply(*[stage.round() for _ in range(4)])


def test_time_went_back() -> None:
    stage = Stage()
    stage.refuse(Fault.TIME_WENT_BACK, stage.round(-5))
    stage.refuse(Fault.TIME_WENT_BACK, stage.round(10), stage.round(5))
    stage.apply(stage.round(0), stage.round(0))


def test_time_off_grid() -> None:
    stage = Stage()
    stage.refuse(Fault.TIME_OFF_GRID, stage.round(4))


def test_time_out_of_range() -> None:
    stage = Stage()
    last = 2**32 - 1 - stage.time
    stage.refuse(Fault.TIME_OUT_OF_RANGE, stage.round(last + 5))
    stage.apply(stage.round(last))


def test_reports_not_sorted() -> None:
    stage = Stage()
    stage.refuse(Fault.REPORTS_NOT_SORTED, stage.round().prices(ETH).prices(BTC))
    stage.refuse(Fault.REPORTS_NOT_SORTED, stage.round().prices(BTC).prices(BTC))
    stage.apply(stage.round().prices(BTC).prices(ETH))


def test_requests_not_in_first_round() -> None:
    stage = Stage()
    act = stage.round()
    act.requests.append(Deposit(1, 101, 101, USDC))
    stage.refuse(Fault.REQUESTS_NOT_IN_FIRST_ROUND, stage.round(), act)
    stage.apply(act, stage.round())


def test_too_many_requests() -> None:
    stage = Stage()
    act = stage.round()
    act.requests += [Deposit(1, 101, 101, USDC)] * 8
    stage.apply(act)
    act = stage.round()
    act.requests += [Deposit(1, 101, 101, USDC)] * 9
    stage.refuse(Fault.TOO_MANY_REQUESTS, act)


def test_requests_at_old_prices() -> None:
    stage = Stage()
    for after, reason in ((35, Fault.REQUESTS_AT_OLD_PRICES), (30, None)):
        act = stage.round(after)
        act.requests.append(ForcedLiquidation(1))
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_too_many_fills() -> None:
    stage = Stage()
    stage.craft(preset=replace(stage.state.preset, fills_max=2))
    act = stage.round().fill(1, 2, BTC_PRICE, 1).fill(1, 2, BTC_PRICE, 1)
    stage.apply(act)
    act = stage.round()
    legs = (act.leg(1, 2, BTC_PRICE, 1), act.leg(1, 2, BTC_PRICE, 1))
    act.trades.append(Trade(legs))
    act.fill(1, 2, BTC_PRICE, 1)
    stage.refuse(Fault.TOO_MANY_FILLS, act)


def test_too_many_records() -> None:
    stage = Stage()
    stage.craft(preset=replace(stage.state.preset, fills_max=1))  # eight records a list
    act = stage.round()
    act.changes += [SetTier(1, 1)] * 8
    stage.apply(act)
    act = stage.round()
    act.changes += [SetTier(1, 1)] * 9
    stage.refuse(Fault.TOO_MANY_RECORDS, act)


def test_malformed_parameters() -> None:
    stage = Stage()
    old = stage.state.parameters
    first = old.markets[0]
    for new in (
        replace(old, oracle_keys=()),
        replace(old, oracle_keys=old.oracle_keys[::-1]),
        replace(old, oracle_keys=(*old.oracle_keys, old.oracle_keys[-1])),
        replace(old, fee_tiers=()),
        replace(old, fee_tiers=(FeeTier(2**24, 0),)),
        replace(old, step_loss_ppm=2**32),
        replace(old, markets=(replace(first, gap_s=-1), old.markets[1])),
        replace(
            old,
            markets=(replace(first, risk=replace(first.risk, vol_up_ppm=2**32)), old.markets[1]),
        ),
        replace(old, markets=(*old.markets, replace(first, symbol="SOL"))),  # room for two
        replace(old, markets=(replace(first, horizon_days=0), old.markets[1])),
        replace(old, markets=(replace(first, strike_step=0), old.markets[1])),
        replace(
            old,
            markets=(replace(first, risk=replace(first.risk, scenarios=())), old.markets[1]),
        ),
    ):
        stage.refuse(Fault.MALFORMED_PARAMETERS, stage.round(), parameters=new)


def test_a_first_state_needs_good_parameters_too() -> None:
    parameters = Stage().state.parameters
    for decimals in (-1, 13):
        market = replace(parameters.markets[0], price_decimals=decimals)
        with pytest.raises(InvalidBatch, match=Fault.MALFORMED_PARAMETERS):
            genesis(MINIMAL, replace(parameters, markets=(market,)), 1)


def test_immutable_parameter() -> None:
    stage = Stage()
    old = stage.state.parameters
    first = old.markets[0]
    for new in (
        replace(old, chain_id=1),
        replace(old, settlement_contract=1),
        replace(old, markets=old.markets[:1]),
        replace(old, markets=(replace(first, symbol="XBT"), old.markets[1])),
        replace(old, markets=(replace(first, price_decimals=3), old.markets[1])),
        replace(old, markets=(replace(first, strike_tick=10), old.markets[1])),
    ):
        stage.refuse(Fault.IMMUTABLE_PARAMETER, stage.round(), parameters=new)


def test_new_parameters_hold_in_the_batch_that_brings_them() -> None:
    stage = Stage()
    new: Parameters = replace(stage.state.parameters, fee_tiers=(FeeTier(0, 1_000),))
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 10), parameters=new)
    assert stage.account(0).cash == 100_000
    assert stage.state.parameters == new


def test_a_new_market_starts_halted() -> None:
    stage = Stage()
    parameters = stage.state.parameters
    single = genesis(MINIMAL, replace(parameters, markets=parameters.markets[:1]), 1)
    other = Stage(single)
    act = other.round(5 - other.time % 5)
    other.apply(act, parameters=parameters)
    assert len(other.state.markets) == 2
    assert other.state.markets[1].halt.since == 1


def test_reset_slots_kills_every_order_and_moves_no_money() -> None:
    stage = Stage()
    act = stage.round()
    act.fill(act.order(1, True, BTC_PRICE, 5, nonce=9), 2, BTC_PRICE, 1)
    stage.play(act)
    accounts = stage.state.accounts
    open_order = stage.round(10)
    open_order.fill(open_order.order(1, True, BTC_PRICE, 5, nonce=9), 2, BTC_PRICE, 1)
    journal = stage.apply(stage.round(), reset_slots=True)
    assert stage.state.system.venue_epoch == 1
    assert (stage.state.slots, stage.state.accounts) == ({}, accounts)
    assert journal.roots_after is not None
    assert journal.roots_before is not None
    assert journal.roots_after.accounts == journal.roots_before.accounts
    stage.refuse(Reason.INVALID_SIGNATURE, open_order)
    act = stage.round()
    stage.apply(act.fill(act.order(1, True, BTC_PRICE, 5, nonce=1), 2, BTC_PRICE, 1))


def test_slots_can_be_reset_in_a_batch_with_trades() -> None:
    stage = Stage()
    act = stage.round(venue_epoch=1).fill(1, 2, BTC_PRICE, 1)
    stage.apply(act, reset_slots=True)
    assert stage.lots(1) == 1


def test_every_open_instrument_has_a_fresh_mark() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1).fill(1, 2, ETH_PRICE, 1, ETH_PERP))
    stage.apply(stage.round().prices(BTC, 10_100_000))
    assert stage.instrument(BTC_PERP).mark == 10_100_000
    assert stage.instrument(ETH_PERP).mark == ETH_PRICE


def test_an_instrument_nobody_holds_is_gone() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.apply(stage.round().fill(2, 1, BTC_PRICE, 1))
    assert stage.state.instruments == {}


def test_the_state_given_is_never_changed() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 5))
    before, copy = stage.state, deepcopy(stage.state)
    batch = stage.batch(stage.round().prices(BTC).fill(2, 1, BTC_PRICE, 5))
    apply_batch(before, batch, stage.primitives)
    act = stage.round().fill(2, 1, BTC_PRICE, 5).fill(1, 2, BTC_PRICE, 10_000)
    with pytest.raises(Exception, match="insufficient_margin"):
        apply_batch(before, stage.batch(act), stage.primitives)
    assert before == copy
    assert (before.trees, before.roots) == (copy.trees, copy.roots)


def test_the_same_batch_gives_the_same_journal() -> None:
    stage = Stage()
    batch = stage.batch(stage.round().prices(BTC).fill(1, 2, BTC_PRICE, 5))
    first, second = (apply_batch(stage.state, batch, stage.primitives) for _ in range(2))
    assert first == second
