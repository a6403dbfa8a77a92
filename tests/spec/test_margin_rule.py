"""The margin rule at the end of a round, and the withdrawal test."""

from __future__ import annotations

import pytest

from novate.lab.worlds import future
from novate.spec.errors import Reason
from novate.spec.instruments import expiry_time
from novate.spec.journal import Health
from novate.spec.margin_rule import is_risk_reducing
from tests.spec.kit import BTC, BTC_PRICE, CASH, DAY, USDC, Stage


def test_insufficient_margin() -> None:
    # each lot needs 1.56 of margin and 0.002 of fee: 10,000 / 1.562 = 6,402.05
    stage = Stage()
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().fill(1, 2, BTC_PRICE, 6_403))
    stage.craft_account(2, cash=2 * CASH)
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().fill(1, 2, BTC_PRICE, 6_403))
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 6_402))


def test_only_the_end_of_the_round_counts() -> None:
    stage = Stage()
    act = stage.round().fill(1, 2, BTC_PRICE, 7_000)
    stage.apply(act.fill(2, 1, BTC_PRICE, 1_000))


def test_between_margins_an_account_may_reduce_but_not_open() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.craft_account(1, cash=130 * USDC - 1_000 * USDC)  # of 120 and 156
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.apply(stage.round().fill(2, 1, BTC_PRICE, 1))


def test_below_maintenance_the_holder_may_still_reduce() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.craft_account(1, cash=110 * USDC - 1_000 * USDC)
    stage.apply(stage.round().fill(2, 1, BTC_PRICE, 1))
    stage.craft_account(1, cash=-5 * USDC - 990 * USDC)
    # with negative equity only trades that cost nothing reduce risk
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().fill(2, 1, BTC_PRICE, 1))
    stage.apply(stage.round().fill(2, 1, BTC_PRICE + 6_000, 1))


def test_not_risk_reducing() -> None:
    """In a halted market closing may cost half of the margin it frees: 6 of 12, fee included."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.play(stage.round().prices(BTC, 12_000_000))
    far = stage.round().fill(2, 1, BTC_PRICE - 595_300, 10)  # 5.953 and 0.047024 of fee
    stage.refuse(Reason.NOT_RISK_REDUCING, far)
    stage.apply(stage.round().fill(2, 1, BTC_PRICE - 595_297, 10))


HEALTHS = Health(equity=100, maintenance=200, initial=260)


@pytest.mark.parametrize(
    "equity, maintenance, expected",
    [
        (100, 200, True),  # nothing changes
        (101, 199, True),
        (100, 201, False),
        (99, 200, False),  # pays for nothing
        (98, 196, True),  # the ratio stays, 2 of 4 freed are lost
        (97, 196, False),  # the ratio falls
        (150, 199, True),
        (0, 0, True),  # half of the margin freed: the most that may be lost
        (-1, 100, False),
    ],
)
def test_risk_reducing(equity: int, maintenance: int, expected: bool) -> None:
    after = Health(equity, maintenance, maintenance)
    assert is_risk_reducing(HEALTHS, after, 500_000) == expected


def test_the_step_bounds_what_may_be_lost() -> None:
    before = Health(equity=1_000, maintenance=200, initial=260)
    assert is_risk_reducing(before, Health(950, 100, 130), 500_000)
    assert not is_risk_reducing(before, Health(949, 100, 130), 500_000)
    assert not is_risk_reducing(before, Health(0, 0, 0), 500_000)  # giving all away is no relief
    negative = Health(equity=-1, maintenance=200, initial=260)
    assert not is_risk_reducing(negative, Health(-2, 0, 0), 1_000_000)
    assert is_risk_reducing(negative, Health(-1, 0, 0), 0)


def test_unsafe_at_reference() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.jump(15_000_000)
    free_at_reference = CASH - 200_000 - 156 * USDC
    act = stage.round().withdraw(1, free_at_reference + 1)
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, act)
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, stage.round().withdraw(1, free_at_reference + 1))
    stage.apply(stage.round().withdraw(1, free_at_reference))


def test_a_transfer_out_is_judged_like_a_withdrawal() -> None:
    stage = Stage()
    stage.play(stage.round().fill(3, 2, BTC_PRICE, 100))
    stage.jump(15_000_000)
    free_at_reference = CASH - 200_000 - 156 * USDC
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, stage.round().transfer(3, 4, free_at_reference + 1))
    stage.apply(stage.round().transfer(3, 4, free_at_reference))


def test_profit_may_leave_once_the_reference_has_seen_it() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.jump(15_000_000)
    for _ in range(2):
        stage.play(stage.round(3_600).prices(BTC, 15_000_000))
    free = CASH - 200_000 + 500 * USDC - 234 * USDC
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().withdraw(1, free + 1))
    stage.apply(stage.round().withdraw(1, free))


def test_withdrawal_blocked() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.play(stage.round().prices(BTC, 5_000_000))
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, stage.round().withdraw(1, 1))
    stage.apply(stage.round().withdraw(3, 1))  # who holds nothing there may go


def test_nothing_leaves_before_an_expiry_is_fixed() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1, future(BTC, DAY)))
    stage.play(stage.round(expiry_time(DAY) - 5 - stage.time).prices(BTC))
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, stage.round().withdraw(1, 1))
    stage.apply(stage.round().prices(BTC).withdraw(1, 1))


def test_giving_away_more_than_is_tolerated_needs_the_withdrawal_test() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1_000))
    stage.jump(15_000_000)
    # equity 6,000 now and 1,000 at the reference, where 1,560 is initial margin
    stage.craft_account(1, cash=-9_000 * USDC)
    # margin after: 12 % of 1,010 lots at 15 USDC, 1,818; 1 % of it is tolerated
    too_much = stage.round().fill(1, 2, 15_000_000 + 1_818_001, 10)
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, too_much)
    stage.apply(stage.round().fill(1, 2, 15_000_000 + 1_818_000, 10))
