"""Expiry: one settlement value for each instrument, from the mean of the last half hour."""

from __future__ import annotations

from novate.lab.worlds import future, option
from novate.spec.errors import Reason
from novate.spec.expiry import settlement_price
from novate.spec.instruments import Kind, expiry_time
from novate.spec.journal import LazyFlow, SettlementEntry
from novate.spec.messages.batch import Touch
from novate.spec.state import Snapshot
from tests.spec.kit import BTC, BTC_PRICE, DAY, Stage

FUTURE = future(BTC, DAY)
CALL = option(BTC, DAY, Kind.CALL, 100_000)
PUT = option(BTC, DAY, Kind.PUT, 100_000)
EXPIRY = expiry_time(DAY)
MEAN = 10_010_000
"""The mean of the last half hour, 100 USDC above the usual price."""


def expiring_stage(*instruments: int, price: int = BTC_PRICE) -> Stage:
    """Account 1 is long 10 lots of each against 2; it is five seconds before 08:00."""
    stage = Stage()
    for instrument in instruments:
        stage.play(stage.round().fill(1, 2, price, 10, instrument))
    stage.play(stage.round(EXPIRY - 5 - stage.time).prices(BTC, mean=MEAN))
    return stage


def test_instrument_expired() -> None:
    stage = expiring_stage(FUTURE)
    stage.refuse(Reason.INSTRUMENT_EXPIRED, stage.round(5).fill(2, 1, BTC_PRICE, 1, FUTURE))
    stage.refuse(Reason.INSTRUMENT_EXPIRED, stage.round(5).fill(1, 2, BTC_PRICE, 1, PUT))
    stage.apply(stage.round(0).fill(2, 1, BTC_PRICE, 1, FUTURE))


def test_instrument_settled() -> None:
    stage = expiring_stage(FUTURE)
    act = stage.round().prices(BTC, mean=MEAN)
    stage.refuse(Reason.INSTRUMENT_SETTLED, act.fill(2, 1, MEAN, 1, FUTURE))
    stage.play(stage.round().prices(BTC, mean=MEAN))
    stage.refuse(Reason.INSTRUMENT_SETTLED, stage.round().fill(2, 1, MEAN, 1, FUTURE))


def test_a_future_pays_the_mean_and_not_the_last_print() -> None:
    stage = expiring_stage(FUTURE)
    journal = stage.apply(stage.round().prices(BTC, 10_100_000, mean=MEAN))
    assert journal.settlements == [SettlementEntry(FUTURE, MEAN, True)]
    before = stage.cash(1), stage.cash(2)
    act = stage.round()
    act.due += [Touch(1), Touch(2)]
    journal = stage.apply(act)
    assert journal.flows == [
        LazyFlow(1, FUTURE, 10, 0, 10 * MEAN),
        LazyFlow(2, FUTURE, -10, 0, -10 * MEAN),
    ]
    assert (stage.cash(1) - before[0], stage.cash(2) - before[1]) == (10 * MEAN, -10 * MEAN)
    assert FUTURE not in stage.state.instruments


def test_an_option_pays_its_intrinsic_value() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, 120_000, 10, CALL).fill(1, 2, 120_000, 10, PUT))
    stage.play(stage.round(EXPIRY - 5 - stage.time).prices(BTC, mean=MEAN))
    journal = stage.apply(stage.round().prices(BTC, mean=MEAN))
    values = {entry.instrument: entry.value for entry in journal.settlements}
    assert values == {CALL: 10_000, PUT: 0}
    act = stage.round()
    act.due += [Touch(1), Touch(2)]
    stage.apply(act)
    assert stage.account(1).positions == stage.account(2).positions == ()


def test_a_mean_of_the_window_is_not_a_fixing_before_it_ends() -> None:
    stage = expiring_stage(FUTURE)
    assert not stage.instrument(FUTURE).settled
    stage.apply(stage.round(5))  # 08:00, but no report of it
    assert not stage.instrument(FUTURE).settled


def test_without_reports_for_a_day_the_last_mean_counts() -> None:
    stage = expiring_stage(FUTURE)
    stage.apply(stage.round(86_400))  # 07:59:55 of the next day
    assert not stage.instrument(FUTURE).settled
    journal = stage.apply(stage.round(5))
    assert journal.settlements == [SettlementEntry(FUTURE, MEAN, True)]


def test_a_halted_market_settles_when_it_reopens() -> None:
    stage = expiring_stage(FUTURE)
    acts = [stage.round(5 * k).prices(BTC, 12_000_000, mean=MEAN + k) for k in (1, 2, 3)]
    journal = stage.apply(*acts)
    assert journal.settlements == [SettlementEntry(FUTURE, MEAN + 3, True)]


def test_which_mean_settles() -> None:
    """t: the accepted report's time; its mean is t as well."""
    day = 86_400
    window = EXPIRY + day - 1_800  # the next window begins: means are of another day

    def price(current: int, upcoming: int, time: int) -> int | None:
        return settlement_price(
            Snapshot(current, 1, 0, current), Snapshot(upcoming, 1, 0, upcoming), EXPIRY, time
        )

    before = EXPIRY - 5
    assert price(before, before, EXPIRY + 5) is None
    assert price(before, EXPIRY, EXPIRY) == EXPIRY
    assert price(before, window - 5, window) == window - 5
    assert price(before, window, window) == before
    assert price(EXPIRY + 5, window, window) == EXPIRY + 5
    assert price(before, before, EXPIRY + day - 5) is None
    assert price(before, before, EXPIRY + day) == before
