"""The `diff` form: S[n] and the bytes give S[n+1] but for slots, and no other bytes do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.lab.generator.drive import Generated
from novate.lab.worlds import perpetual
from novate.native import NativePrimitives
from novate.spec.bounds import FACTOR_ONE
from novate.spec.commitment import commit
from novate.spec.crypto import SpecPrimitives
from novate.spec.errors import DecodeError
from novate.spec.presets import MINIMAL
from novate.spec.public_data.compare import difference
from novate.spec.public_data.diff import (
    apply_diff,
    decode_difference,
    encode_diff,
    encode_difference,
)
from novate.spec.public_data.difference import (
    AccountChange,
    AccountRest,
    Difference,
    Freshness,
    InstrumentChange,
    LotsChange,
    PastSide,
    PositionsChange,
    Stale,
    SystemChange,
)
from novate.spec.public_data.widths import Widths
from novate.spec.state import (
    Account,
    InstrumentState,
    Position,
    Side,
    State,
    System,
)
from tests.spec.public_data.mutations import assert_decodes_or_names, near
from tests.spec.public_data.samples import generated

NATIVE = NativePrimitives()


def without_slots(state: State) -> State:
    """What `diff` data give of a state."""
    return replace(state, slots={})


def test_each_difference_gives_the_next_state_but_for_slots() -> None:
    for item in generated():
        after = apply_diff(item.before, encode_diff(item.journal))
        assert item.journal.after is not None
        assert after == without_slots(item.journal.after)


def test_a_chain_of_differences_has_the_journals_settlement_roots() -> None:
    state = without_slots(generated()[0].before)
    for item in generated():
        state = apply_diff(state, encode_diff(item.journal))
        assert item.journal.roots_after is not None
        assert commit(state, NATIVE).settlement_root == item.journal.roots_after.settlement_root
    assert commit(state, SpecPrimitives()) == commit(state, NATIVE)


def test_generated_batches_use_every_part_of_the_layout() -> None:
    """Guards the tests above: what never occurs in them would not be tested."""
    seen: Counter[str] = Counter()
    for item in generated():
        assert item.journal.after is not None
        change = difference(item.before, item.journal.after)
        seen.update(parts_of(change))
    wanted = {
        *("opened", "past_sides", "clearing", "long_cash", "settlement", "open_interest"),
        *("CURRENT", "MIXED", "liquidation_since", "last_underlying", "owner", "key", "vault"),
        *("fund", "current", "reference", "candidate", "pending", "halt_since"),
    }
    assert wanted <= seen.keys(), wanted - seen.keys()


def parts_of(change: Difference) -> list[str]:
    """Names of the fields and freshnesses that a difference has."""
    names = [name for name in ("opened", "past_sides") if getattr(change, name)]
    for record in (change.system, *change.instruments, *change.markets):
        names += [name for name, value in record._asdict().items() if value is not None]
    for account in change.accounts:
        names += [name for name, value in account._asdict().items() if value is not None]
        names += [name for name, value in account.rest._asdict().items() if value is not None]
        names.append(account.positions.freshness.name)
    return names


@given(st.data())
def test_bytes_near_a_difference_are_refused_or_a_difference(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(generated()))
    assert_decodes_or_names(
        lambda raw: apply_diff(item.before, raw),
        lambda after: encode_difference(difference(item.before, after)),
        data.draw(near(encode_diff(item.journal))),
    )


@given(st.sampled_from(generated()), st.data())
def test_what_is_read_as_a_difference_is_written_as_the_same(
    item: Generated, data: st.DataObject
) -> None:
    assert_decodes_or_names(
        lambda raw: decode_difference(raw, MINIMAL),
        encode_difference,
        data.draw(near(encode_diff(item.journal))),
    )


def test_every_truncation_and_extension_is_refused() -> None:
    item = generated()[1]
    data = encode_diff(item.journal)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            apply_diff(item.before, data[:end])
    with pytest.raises(DecodeError, match="trailing_bytes"):
        apply_diff(item.before, data + b"\0")


# A small state by hand: what each refusal needs

PERP = perpetual(0)
CALM = InstrumentState(PERP, 0, 5, Side(), Side(), 0, 2)
POSITIONS = {1: (Position(PERP, 5, FACTOR_ONE, 0),), 2: (Position(PERP, -5, FACTOR_ONE, 0),)}


def small_state() -> State:
    """Two accounts, long and short five lots; no prices."""
    usual = generated()[0].before
    return State(
        preset=MINIMAL,
        parameters=usual.parameters,
        system=System(batch_number=7, time=100, account_count=3),
        markets=usual.markets,
        instruments={PERP: CALM},
        accounts={
            0: Account(owner=9),
            **{index: Account(owner=9, cash=50, positions=POSITIONS[index]) for index in (1, 2)},
        },
    )


NOTHING = Difference(SystemChange(), None, (), (), (), (), ())


def one_account(index: int = 1, **fields: Any) -> Difference:
    """A difference of one account."""
    change = AccountChange(index, 0, PositionsChange(), None, None, AccountRest())
    return NOTHING._replace(accounts=(change._replace(**fields),))


def applied(change: Difference) -> State:
    """The small state after a difference, through its bytes."""
    return apply_diff(small_state(), encode_difference(change))


def test_a_batch_without_changes_still_counts() -> None:
    after = applied(NOTHING)
    assert after.system == replace(small_state().system, batch_number=8)
    assert len(encode_difference(NOTHING)) == len(Widths._fields) + 1 + 1 + 4 * 2 + 3


def test_cash_and_epoch() -> None:
    after = applied(one_account(cash=-7, rest=AccountRest(cancel_epoch=4)))
    assert after.accounts[1] == replace(small_state().accounts[1], cash=43, cancel_epoch=4)


def test_positions_of_two_accounts_keep_open_interest_and_holders_right() -> None:
    gone = PositionsChange((LotsChange(0, -5),))
    flipped = PositionsChange((LotsChange(0, 8),))
    change = NOTHING._replace(
        accounts=(
            AccountChange(1, 3, gone, None, None, AccountRest()),
            AccountChange(2, -3, flipped, None, None, AccountRest()),
        )
    )
    after = applied(change)
    assert after.accounts[1].positions == ()
    assert after.accounts[2].positions == (Position(PERP, 3, FACTOR_ONE, 0),)
    assert after.instruments[PERP].open_interest == 3
    assert after.instruments[PERP].holders == 1


def test_an_instrument_nobody_holds_is_gone() -> None:
    change = NOTHING._replace(
        accounts=tuple(
            AccountChange(
                index, 1, PositionsChange((LotsChange(0, lots),)), None, None, AccountRest()
            )
            for index, lots in ((1, -5), (2, 5))
        )
    )
    assert applied(change).instruments == {}


def test_a_position_may_be_as_of_a_moment_inside_the_batch() -> None:
    moved = NOTHING._replace(
        instruments=(InstrumentChange(0, long_cash=10, short_cash=-10),),
        past_sides=(PastSide(0, True, FACTOR_ONE, 4),),
        accounts=one_account(
            cash=1, positions=PositionsChange((), Freshness.MIXED, (Stale(0, 1),))
        ).accounts,
    )
    after = applied(moved)
    assert after.accounts[1].positions == (Position(PERP, 5, FACTOR_ONE, 4),)
    assert after.instruments[PERP].long == Side(FACTOR_ONE, 10)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (one_account(), "not_the_difference"),
        (one_account(rest=AccountRest(owner=9)), "not_the_difference"),
        (one_account(cash=2**60), "out_of_range"),
        (one_account(4, cash=1), "accounts_not_dense"),
        (one_account(64, cash=1), "out_of_range"),
        (one_account(positions=PositionsChange((LotsChange(1, 1),))), "out_of_range"),
        (one_account(positions=PositionsChange((LotsChange(0, 2**31),))), "out_of_range"),
        (
            one_account(positions=PositionsChange((LotsChange(0, 1),), Freshness.KEPT)),
            "not_the_difference",
        ),
        (
            one_account(cash=1, positions=PositionsChange((), Freshness.MIXED, (Stale(0, 1),))),
            "out_of_range",
        ),
        (
            one_account(cash=1, positions=PositionsChange((), Freshness.MIXED, (Stale(0, 0),))),
            "not_the_difference",
        ),
        (NOTHING._replace(opened=(PERP,)), "already_open"),
        (NOTHING._replace(opened=(PERP + 1,)), "instrument_strike_of_kind"),
        (NOTHING._replace(opened=(perpetual(1),)), "not_the_difference"),
        (NOTHING._replace(system=SystemChange(time=100)), "not_the_difference"),
        (NOTHING._replace(system=SystemChange(account_count=2)), "accounts_not_dense"),
        (NOTHING._replace(system=SystemChange(account_count=2**32 - 1)), "out_of_range"),
        (
            NOTHING._replace(past_sides=(PastSide(0, True, FACTOR_ONE, 4),)),
            "not_the_difference",
        ),
        (
            NOTHING._replace(instruments=(InstrumentChange(0, clearing=1),) * 2),
            "not_the_difference",
        ),
        (NOTHING._replace(instruments=(InstrumentChange(0, long_factor=1),)), "out_of_range"),
    ],
)
def test_what_is_no_difference_from_the_state_is_named(change: Difference, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        applied(change)
    assert caught.value.reason == reason, caught.value


def test_wider_fields_than_needed_are_not_canonical() -> None:
    data = bytearray(encode_difference(NOTHING))
    data[0] = 1
    with pytest.raises(DecodeError, match="not_canonical"):
        apply_diff(small_state(), bytes(data))


def test_records_without_bytes_cannot_be_many() -> None:
    """Widths of 0 would let a short input ask for a list of any length."""
    change = one_account(positions=PositionsChange(tuple(LotsChange(k, 1) for k in range(3))))
    data = bytearray(encode_difference(change))
    data[2] = data[3] = 0  # place, lots
    with pytest.raises(DecodeError, match="truncated"):
        apply_diff(small_state(), bytes(data))
