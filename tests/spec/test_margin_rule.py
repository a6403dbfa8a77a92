"""The margin rule: what an account may end a round with, and what counts as reducing risk."""

from __future__ import annotations

from novate.lab.worlds import future
from novate.spec.errors import Reason
from novate.spec.journal import Health
from novate.spec.margin_rule import is_risk_reducing
from novate.spec.messages.batch import Touch
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    CASH,
    DAY,
    USDC,
    Stage,
    poor_stage,
)

FEE = 200_000
"""What the maker of 100 lots of BTC pays."""
INITIAL = 156 * USDC


def test_insufficient_margin() -> None:
    for cash, covered in ((INITIAL + FEE - 1, False), (INITIAL + FEE, True)):
        stage = Stage()
        stage.craft_account(1, cash=cash)
        act = stage.round().fill(1, 2, BTC_PRICE, 100)
        if covered:
            journal = stage.apply(act)
            assert journal.margins[0].after == Health(INITIAL, 120 * USDC, INITIAL)
        else:
            stage.refuse(Reason.INSUFFICIENT_MARGIN, act)


def test_the_round_is_judged_as_a_whole() -> None:
    """In the middle of a round anything goes, if money comes before it ends."""
    stage = Stage()
    stage.craft_account(4, cash=0)
    act = stage.round().fill(4, 1, BTC_PRICE, 100)
    stage.apply(act.transfer(3, 4, INITIAL + FEE))


def test_below_initial_margin_an_account_may_reduce_and_not_add() -> None:
    stage = poor_stage()
    stage.drift(9_800_000)  # equity 139.8, of 117.6 and 152.88
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().fill(1, 2, 9_800_000, 1))
    stage.apply(stage.round().fill(2, 1, 9_800_000, 1))


def test_not_risk_reducing() -> None:
    """In a halted market: 10 lots free 12 of margin, half of which may be lost, fee included."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.play(stage.round().prices(BTC, 5_000_000))
    # 10 · 595,297 and a fee of 47,024; one tick less costs 6,000,004
    stage.refuse(Reason.NOT_RISK_REDUCING, stage.round().fill(2, 1, 9_404_702, 10))
    journal = stage.apply(stage.round().fill(2, 1, 9_404_703, 10))
    [entry] = [entry for entry in journal.margins if entry.account == 1]
    assert entry.before.equity - entry.after.equity == 5_999_994
    assert entry.gave == 5_952_970


def test_what_reduces_risk() -> None:
    step = 500_000  # half of the margin freed
    before = Health(1_000, 1_000, 1_300)
    for after, reduces in (
        (Health(1_000, 1_000, 1_300), True),
        (Health(999, 1_000, 1_300), False),
        (Health(1_001, 1_001, 1_301), False),
        (Health(900, 800, 1_040), True),
        (Health(899, 800, 1_040), False),
    ):
        assert is_risk_reducing(before, after, step) == reduces
    # equity falls no faster than margin
    assert is_risk_reducing(Health(500, 1_000, 1_300), Health(400, 800, 1_040), step)
    assert not is_risk_reducing(Health(1_100, 1_000, 1_300), Health(879, 800, 1_040), step)
    # below zero nothing may be lost
    assert not is_risk_reducing(Health(-10, 1_000, 1_300), Health(-11, 1, 2), step)
    assert is_risk_reducing(Health(-10, 1_000, 1_300), Health(-10, 1_000, 1_300), step)
    # not even by closing everything
    assert not is_risk_reducing(Health(600, 1_000, 1_300), Health(0, 0, 0), step)


def test_unsafe_at_reference() -> None:
    """A gain of the last hour stays: equity now 50 more, initial margin 7.8 more."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.drift(10_500_000)
    free = CASH - FEE - INITIAL
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, stage.round().withdraw(1, free + 1))
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().withdraw(1, free + 50 * USDC))
    stage.apply(stage.round().withdraw(1, free))


def test_giving_away_needs_safety_at_the_reference() -> None:
    """Selling far below the mark is a withdrawal by other means."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.drift(10_500_000)
    stage.play(stage.round().withdraw(1, CASH - FEE - INITIAL))
    # equity 206, initial margin 163.8; one lot at 1.26 less loses 1 % of the margin of 126
    cheap = 10_500_000 - 1_260_000
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, stage.round().fill(2, 1, cheap - 10_000, 1))
    stage.apply(stage.round().fill(2, 1, cheap, 1))


def test_withdrawal_blocked() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.play(stage.round().prices(BTC, 5_000_000))
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, stage.round().withdraw(1, 1))
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, stage.round().withdraw(2, 1))
    stage.apply(stage.round().withdraw(3, 1))  # holds nothing there


def test_nothing_leaves_while_a_fixing_is_missing() -> None:
    stage = Stage()
    instrument = future(BTC, DAY)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10, instrument))
    until = 1_577_836_800 + DAY * 86_400 + 28_800 - stage.time
    stage.play(stage.round(until - 5).prices(BTC))
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, stage.round().withdraw(1, 1))
    stage.apply(stage.round().prices(BTC).withdraw(1, 1))


def test_a_passive_loss_is_judged_by_nobody() -> None:
    """A touch is no act: an account below margin may be touched, and is then in liquidation."""
    stage = poor_stage()
    stage.drift(9_500_000)
    act = stage.round()
    act.due.append(Touch(1))
    journal = stage.apply(act)
    assert journal.margins == []
    assert stage.account(1).liquidation_since
    assert stage.lots(1, BTC_PERP) == 100
