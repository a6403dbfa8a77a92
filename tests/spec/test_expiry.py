"""Expiry: the averaging window, the fixing, the fallback, and who may still trade."""

from __future__ import annotations

import pytest

from novate.lab.worlds import future, option
from novate.spec.errors import Reason
from novate.spec.expiry import settlement_price
from novate.spec.instruments import Kind, expiry_time
from novate.spec.journal import SettlementEntry
from novate.spec.messages.batch import Touch
from novate.spec.state import Snapshot
from tests.spec.kit import BTC, BTC_PRICE, DAY, Stage

FUTURE = future(BTC, DAY)
CALL = option(BTC, DAY, Kind.CALL, 100_000)
PUT = option(BTC, DAY, Kind.PUT, 102_000)
FIXED = 10_100_000
EXPIRY = expiry_time(DAY)


def stage_before_expiry(seconds: int = 5, **prices: int) -> Stage:
    """Account 1 holds ten of each against account 2; the last snapshot is just before 08:00."""
    stage = Stage()
    act = stage.round().fill(1, 2, BTC_PRICE, 10, FUTURE)
    act.fill(1, 2, 100_000, 10, CALL).fill(1, 2, 200_000, 10, PUT)
    stage.play(act)
    stage.play(stage.round(EXPIRY - seconds - stage.time).prices(BTC, **prices))
    return stage


def test_the_mean_of_the_window_fixes_every_instrument() -> None:
    stage = stage_before_expiry()
    before = stage.cash(1), stage.cash(2)
    journal = stage.apply(stage.round().prices(BTC, 10_200_000, mean=FIXED))
    assert journal.settlements == [
        SettlementEntry(FUTURE, FIXED, True),
        SettlementEntry(CALL, 100_000, True),  # 101,000 − 100,000
        SettlementEntry(PUT, 100_000, True),  # 102,000 − 101,000
    ]
    act = stage.round()
    act.due += [Touch(1), Touch(2)]
    stage.apply(act)
    assert (stage.cash(1) - before[0], stage.cash(2) - before[1]) == (
        10 * (FIXED + 200_000),
        -10 * (FIXED + 200_000),
    )
    assert stage.state.instruments == {}
    assert stage.fund().cash == 0


def test_it_is_fixed_once() -> None:
    stage = stage_before_expiry()
    stage.play(stage.round().prices(BTC, mean=FIXED))
    journal = stage.apply(stage.round().prices(BTC, mean=FIXED + 7))
    assert journal.settlements == []
    assert stage.instrument(FUTURE).mark == FIXED


def test_instrument_expired() -> None:
    stage = stage_before_expiry()
    act = stage.round(0).fill(2, 1, BTC_PRICE, 1, FUTURE)
    act.time = EXPIRY
    stage.refuse(Reason.INSTRUMENT_EXPIRED, act)  # no snapshot of the window: not fixed yet
    act.time = EXPIRY - 5
    stage.apply(act)


def test_instrument_settled() -> None:
    stage = stage_before_expiry()
    stage.play(stage.round().prices(BTC, mean=FIXED))
    stage.refuse(Reason.INSTRUMENT_SETTLED, stage.round().fill(2, 1, FIXED, 1, FUTURE))
    act = stage.round()
    act.due += [Touch(1), Touch(2)]
    stage.play(act)
    stage.refuse(Reason.INSTRUMENT_EXPIRED, stage.round().fill(2, 1, FIXED, 1, FUTURE))


def test_in_the_last_half_hour_the_mark_is_an_average_in_the_making() -> None:
    # 900 seconds left: half of the average is known
    stage = stage_before_expiry(900, index_price=10_200_000, mean=BTC_PRICE)
    assert stage.instrument(FUTURE).mark == 10_100_000
    stage = stage_before_expiry(1_800, index_price=10_200_000, mean=9_000_000)
    assert stage.instrument(FUTURE).mark == 10_200_000  # nothing of it is known yet
    stage = stage_before_expiry(5, index_price=10_200_000, mean=BTC_PRICE)
    assert stage.instrument(FUTURE).mark == (BTC_PRICE * 1_795 + 10_200_000 * 5) // 1_800


def test_until_the_fixing_the_mark_is_the_last_mean() -> None:
    stage = stage_before_expiry(mean=9_990_000)
    stage.apply(stage.round())
    assert not stage.instrument(FUTURE).settled
    assert stage.state.markets[BTC].current.time == EXPIRY - 5


def test_without_a_quorum_it_is_fixed_after_a_day_by_the_last_mean() -> None:
    stage = stage_before_expiry(mean=9_990_000)
    journal = stage.apply(stage.round(EXPIRY + 86_395 - stage.time))
    assert journal.settlements == []
    journal = stage.apply(stage.round())
    assert [entry.value for entry in journal.settlements] == [9_990_000, 0, 210_000]


def test_a_late_quorum_of_the_same_window_fixes_it() -> None:
    stage = stage_before_expiry(mean=9_990_000)
    # the gap halted the market: it settles with the snapshot that opens it again
    for k in range(3):
        stage.play(stage.round(36_000 if k == 0 else 5).prices(BTC, mean=FIXED))
    assert stage.instrument(FUTURE).settled
    assert stage.instrument(FUTURE).mark == FIXED


@pytest.mark.parametrize(
    "current, upcoming, time, expected",
    [
        (-5, 0, 0, 2),  # the first snapshot of the window decides
        (-5, 84_595, 84_595, 2),
        (-5, 84_600, 84_600, 1),  # the next window has begun: its mean says nothing of this one
        (10, 15, 20, 2),
        (10, 10, 20, 2),
        (10, 84_600, 84_600, 1),
        (-5, -5, 0, None),
        (-5, -5, 86_395, None),
        (-5, -5, 86_400, 1),
        (-5, 90_000, 90_000, 1),
    ],
)
def test_which_mean_fixes(current: int, upcoming: int, time: int, expected: int | None) -> None:
    snapshots = [
        Snapshot(time=EXPIRY + at, index_price=9, mean=mean)
        for at, mean in ((current, 1), (upcoming, 2))
    ]
    assert settlement_price(*snapshots, EXPIRY, EXPIRY + time) == expected


def test_a_snapshot_without_a_mean_counts_as_its_index() -> None:
    snapshot = Snapshot(time=EXPIRY, index_price=9)
    assert settlement_price(snapshot, snapshot, EXPIRY, EXPIRY) == 9


def test_expired_positions_need_no_margin() -> None:
    stage = stage_before_expiry()
    stage.play(stage.round().prices(BTC, mean=FIXED))
    act = stage.round()
    act.due.append(Touch(1))
    stage.play(act)
    free = stage.account(1).cash
    stage.apply(stage.round().withdraw(1, free))
    assert stage.account(1).cash == 0
