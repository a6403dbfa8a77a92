"""Layouts against bytes written by hand: what a mirror in another language must produce."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from novate.native import NativePrimitives
from novate.spec.errors import DecodeError
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
    Request,
)
from novate.spec.messages.orders import Authorization, Order, SignedOrder
from novate.spec.parameters import FeeTier, MarketParameters, Parameters
from novate.spec.presets import MAIN
from novate.spec.primitives import Signature
from novate.spec.public_data.codec import decode, encode
from novate.spec.public_data.header import DataForm, Header, encode_header, header_from
from novate.spec.public_data.orders import ORDER
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.public_data.requests import REQUEST
from novate.spec.public_data.trades import TradesCodec
from novate.spec.risk_parameters import RiskParameters, Scenario
from tests.spec.public_data.samples import generated

EXCESS = 2**31


def big(value: int, width: int) -> bytes:
    """A big-endian integer."""
    return value.to_bytes(width, "big")


def scalars(record: Any, *left_out: str) -> bytes:
    """Every field of a record in the order of its definition, 4 bytes each."""
    names = [field.name for field in fields(record) if field.name not in left_out]
    return b"".join(big(getattr(record, name), 4) for name in names)


def numbered(make: Any, start: int, **given: Any) -> Any:
    """A record whose other fields are distinct numbers."""
    names = [field.name for field in fields(make) if field.name not in given]
    return make(**given, **{name: start + place for place, name in enumerate(names)})


def test_parameters_carry_every_field_in_order() -> None:
    scenario = Scenario(-5, 1, 9)
    risk = numbered(RiskParameters, 100, scenarios=(scenario,), concentration_free=2**40)
    market = numbered(MarketParameters, 200, symbol="BTC", price_decimals=2, risk=risk)
    parameters = numbered(
        Parameters,
        300,
        chain_id=1,
        settlement_contract=7,
        markets=(market,),
        oracle_keys=((1, 2, 3, 4, 5),),
        fee_tiers=(FeeTier(-50, 300),),
    )
    risk_bytes = b"\1" + big(EXCESS - 5, 4) + big(129, 1) + big(9, 4)
    for field in fields(RiskParameters)[1:]:
        width = 8 if field.name == "concentration_free" else 4
        risk_bytes += big(getattr(risk, field.name), width)
    expected = (
        big(1, 8)
        + big(7, 20)
        + big(1, 2)
        + (b"\3BTC" + b"\2" + scalars(market, "symbol", "price_decimals", "risk") + risk_bytes)
        + b"\1"
        + b"".join(element.to_bytes(8, "little") for element in (1, 2, 3, 4, 5))
        + b"\1"
        + (big(EXCESS - 50, 4) + big(EXCESS + 300, 4))
    )
    lists = ("chain_id", "settlement_contract", "markets", "oracle_keys", "fee_tiers")
    expected += scalars(parameters, *lists)
    codec = parameters_codec(MAIN)
    assert encode(codec, parameters) == expected
    assert decode(codec, expected) == parameters


def test_an_order() -> None:
    order = Order(1, 2, True, 3, 4, 5, 6, 7, -8, trigger_price=9, flags=1 | 16)
    signed = SignedOrder(order, Authorization(Signature(10, 11, 12)))
    assert encode(ORDER, signed) == (
        big(1 | 1 << 1 | 16 << 1 | 64, 1)
        + (big(1, 3) + big(2, 7) + big(3, 4) + big(4, 4) + big(5, 2) + big(6, 4) + big(7, 4))
        + (big(EXCESS - 8, 4) + big(9, 4))
        + (10).to_bytes(8, "little")
        + ((11).to_bytes(8, "little") + (12).to_bytes(40, "little"))
    )


def test_fills() -> None:
    quote, account = SideOf(SideKind.QUOTE, 7, 3), SideOf(SideKind.LIQUIDATION, 8)
    order, fund = SideOf(SideKind.ORDER, 9), SideOf(SideKind.FUND)
    legs = (Fill(1, 2, 3, quote, account, True), Fill(4, 5, 6, order, fund, False))
    assert encode(TradesCodec(16), (Trade(legs),)) == (
        big(2, 2)
        + (big(1 | 1 << 1 | 2 << 3 | 32, 1) + big(1, 7) + big(2, 4) + big(3, 4))
        + (big(7, 3) + big(3, 1) + big(8, 3))
        + (big(0 << 1 | 3 << 3, 1) + big(4, 7) + big(5, 4) + big(6, 4) + big(9, 3))
    )


def test_a_header() -> None:
    digests = [(k, k + 1, k + 2, k + 3) for k in range(10, 60, 10)]
    header = Header(1, DataForm.DIFF, True, 2, 3, 4, 5, 6, 7, *digests)
    assert encode_header(header) == (
        (b"\1\1\1" + big(2, 4) + big(3, 4) + big(4, 4) + big(5, 4) + big(6, 8) + big(7, 8))
        + b"".join(element.to_bytes(8, "little") for digest in digests for element in digest)
    )


def test_a_header_says_form_and_slot_reset() -> None:
    """L1 accepts `full` after `diff` by this byte alone."""
    seen = set()
    for item in generated():
        for form in DataForm:
            header = header_from(item.batch, item.journal, form, NativePrimitives())
            assert (header.form, header.reset_slots) == (form, item.batch.reset_slots)
        seen.add(item.batch.reset_slots)
        assert item.journal.after is not None
        system = item.journal.after.system
        assert (header.time, header.fork) == (system.time, system.fork)
        assert header.venue_epoch == system.venue_epoch
    assert seen == {False, True}


@pytest.mark.parametrize(
    "request_",
    [
        Deposit(2**24, 1, 1, 5),
        Deposit(1, 1, 1, 2**63),
        Deposit(1, 2**160, 1, 5),
        FundDeposit(256, 1, 5),
        RegisterKey(1, 1, (2**64 - 2**32 + 1, 0, 0, 0, 0)),
        AllowOwner(1, 1, 2**160),
        ForcedWithdrawal(1, 1, 2**63),
        ForcedClose(1, 1, 2**50),
        ForcedLiquidation(2**24),
        ForcedCancel(2**24, 1),
    ],
)
def test_what_the_inbox_must_refuse_has_no_bytes(request_: Request) -> None:
    """No request is ever skipped, so L1 may take none that cannot be published."""
    with pytest.raises(DecodeError):
        encode(REQUEST, request_)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Deposit(2**24 - 1, 2, 3, 2**63 - 1), "00ffffff" + "02".zfill(40) + "03".zfill(40)),
        (FundDeposit(255, 3, 2**63 - 1), "01ff" + "03".zfill(40)),
        (ForcedWithdrawal(1, 2, 2**63 - 1), "04000001" + "02".zfill(40)),
    ],
)
def test_requests_at_their_bounds(request_: Request, expected: str) -> None:
    assert encode(REQUEST, request_).hex() == expected + "7fffffffffffffff"
