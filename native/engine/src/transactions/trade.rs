//! Phase 5: trades (`novate.spec.transactions.trade`). Two signed orders or quotes of different
//! accounts meet at a legal price; an account in liquidation, or a market's fund, may stand on one
//! side without a signature.

use novate_risk::Instrument;
use novate_risk::bounds::PRICE_MAX;

use crate::arithmetic::{div_down, ppm_down};
use crate::bounds::{FILL_NOTIONAL_MAX, QUANTITY_MAX};
use crate::caps::require_room;
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::fees::{Fees, fill_fees};
use crate::holders::{change_position, fund_holder, positions_of, quantity_of, underlying_of};
use crate::ledger::record_row;
use crate::listing::require_tradable;
use crate::transactions::unsigned::{after_step, before_step, begin_fund, require_fund_reduced};
use crate::types::batch::{Fill, SideKind, SideOf, Trade};
use crate::types::journal::{FillEntry, Health};
use crate::types::orders::{REDUCE_ONLY, Sheet, SignedOrder, SignedSheet, TRIGGER_ABOVE};
use crate::types::state::{Account, Fund, Money, Slot};
use crate::valuation::{begin_act, mark_of_id};

/// The orders and sheets a round's trades refer to, with the verdict on each signature.
#[derive(Debug, Default)]
pub struct RoundBook {
    pub orders: Vec<SignedOrder>,
    pub order_verdicts: Vec<Option<Reason>>,
    pub sheets: Vec<SignedSheet>,
    pub sheet_verdicts: Vec<Option<Reason>>,
}

/// What the signer of one side agreed to: an order, or one side of a quote read as one.
#[derive(Clone, Copy, Debug)]
struct Agreed {
    account: i64,
    instrument: i64,
    limit_price: i64,
    quantity: i64,
    slot: i64,
    nonce: i64,
    good_till: i64,
    max_fee_ppm: i64,
    trigger_price: i64,
    flags: i64,
}

/// One side of a fill.
#[derive(Clone, Copy, Debug)]
struct Party {
    /// Account, or −1 − underlying for a fund.
    holder: i64,
    is_buyer: bool,
    /// None: an unsigned side.
    agreed: Option<Agreed>,
}

impl Party {
    /// The change of its position by a fill of so many lots.
    fn change(&self, lots: i64) -> i64 {
        if self.is_buyer { lots } else { -lots }
    }
}

/// Applies all fills of a trade, or none.
pub fn apply_trade(draft: &mut Draft, book: &RoundBook, trade: &Trade) -> Law<()> {
    if trade.fills.is_empty() {
        return Err(reject(Reason::EmptyTrade, "a trade has at least one fill"));
    }
    let checkpoint = draft.checkpoint();
    for fill in &trade.fills {
        if let Err(error) = apply_fill(draft, book, fill) {
            draft.rollback(checkpoint);
            return Err(error);
        }
    }
    Ok(())
}

/// Checks every rule of one fill, then moves position, cash, fees and slots.
fn apply_fill(draft: &mut Draft, book: &RoundBook, fill: &Fill) -> Law<()> {
    check_size(fill)?;
    let buyer = resolve(draft, book, fill, &fill.buyer, true)?;
    let seller = resolve(draft, book, fill, &fill.seller, false)?;
    if buyer.holder == seller.holder {
        return Err(reject(Reason::SelfTrade, format!("account = {}", buyer.holder)));
    }
    let decoded = require_tradable(draft, fill.instrument)?;
    check_band(draft, fill)?;
    for party in [&buyer, &seller] {
        begin(draft, party.holder)?;
        if let Some(agreed) = &party.agreed {
            check_agreed(draft, agreed, party.is_buyer, fill)?;
        }
        check_position(draft, party, fill)?;
    }
    let fees = fill_fees(draft, fill, decoded, buyer.holder, seller.holder)?;
    check_fees(&buyer, &seller, &fees)?;
    let buyer_before = health_before(draft, &buyer, fill)?;
    let seller_before = health_before(draft, &seller, fill)?;
    settle(draft, &buyer, fill, fees.buyer)?;
    settle(draft, &seller, fill, fees.seller)?;
    check_after(draft, &buyer, fill, decoded, buyer_before)?;
    check_after(draft, &seller, fill, decoded, seller_before)?;
    draft.record_fill(FillEntry {
        fill: *fill,
        buyer: buyer.holder,
        seller: seller.holder,
        buyer_fee: fees.buyer,
        seller_fee: fees.seller,
    });
    Ok(())
}

/// Price, quantity and notional within their bounds.
fn check_size(fill: &Fill) -> Law<()> {
    let Fill { price, quantity, .. } = *fill;
    if !(0..=PRICE_MAX).contains(&price) || !(1..=QUANTITY_MAX).contains(&quantity) {
        return Err(reject(Reason::FillOutOfBounds, format!("price {price}, lots {quantity}")));
    }
    let notional = i128::from(price) * i128::from(quantity);
    if notional > FILL_NOTIONAL_MAX {
        let detail = format!("notional = {notional}, max {FILL_NOTIONAL_MAX}");
        return Err(reject(Reason::NotionalTooLarge, detail));
    }
    Ok(())
}

/// Who stands on a side and by which order; a quote's side is read as an order of its slot.
fn resolve(
    draft: &Draft,
    book: &RoundBook,
    fill: &Fill,
    side: &SideOf,
    is_buyer: bool,
) -> Law<Party> {
    match side.kind {
        SideKind::Order => {
            let signed = listed(&book.orders, side.number, "order")?;
            require_verdict(&book.order_verdicts, side.number, "order")?;
            agreed_order(signed, side.number, is_buyer)
        }
        SideKind::Quote => {
            let signed = listed(&book.sheets, side.number, "sheet")?;
            require_verdict(&book.sheet_verdicts, side.number, "sheet")?;
            agreed_quote(&signed.message, side.quote, is_buyer)
        }
        SideKind::Liquidation => {
            draft.account(side.number)?;
            Ok(Party { holder: side.number, is_buyer, agreed: None })
        }
        SideKind::Fund => {
            let underlying = underlying_of(fill.instrument);
            draft.market(underlying)?;
            Ok(Party { holder: fund_holder(underlying), is_buyer, agreed: None })
        }
    }
}

/// The entry of a list of the round that a fill names.
fn listed<'a, T>(list: &'a [T], number: i64, what: &str) -> Law<&'a T> {
    usize::try_from(number).ok().and_then(|place| list.get(place)).ok_or_else(|| {
        let detail = format!("{what} = {number}, the round has {}", list.len());
        reject(Reason::NoSuchOrder, detail)
    })
}

/// The order's or sheet's signature was found good.
fn require_verdict(verdicts: &[Option<Reason>], number: i64, what: &str) -> Law<()> {
    match listed(verdicts, number, what)? {
        Some(reason) => Err(reject(*reason, format!("{what} {number}"))),
        None => Ok(()),
    }
}

fn agreed_order(signed: &SignedOrder, number: i64, is_buyer: bool) -> Law<Party> {
    let order = &signed.message;
    if order.is_buy != is_buyer {
        let detail = format!("order {number} buys: {}", order.is_buy);
        return Err(reject(Reason::WrongSide, detail));
    }
    let agreed = Agreed {
        account: order.account,
        instrument: order.instrument,
        limit_price: order.limit_price,
        quantity: order.quantity,
        slot: order.slot,
        nonce: order.nonce,
        good_till: order.good_till,
        max_fee_ppm: order.max_fee_ppm,
        trigger_price: order.trigger_price,
        flags: order.flags,
    };
    Ok(Party { holder: order.account, is_buyer, agreed: Some(agreed) })
}

/// One side of one quote of a sheet, as an order.
fn agreed_quote(sheet: &Sheet, number: i64, is_buyer: bool) -> Law<Party> {
    let quote = listed(&sheet.quotes, number, "quote")?;
    let (limit_price, quantity) = if is_buyer {
        (quote.bid_price, quote.bid_quantity)
    } else {
        (quote.ask_price, quote.ask_quantity)
    };
    let agreed = Agreed {
        account: sheet.account,
        instrument: quote.instrument,
        limit_price,
        quantity,
        // below 2^32 + 2^9: sheets were checked when they were read
        slot: sheet.base_slot + 2 * number + i64::from(!is_buyer),
        nonce: sheet.nonce,
        good_till: sheet.good_till,
        max_fee_ppm: sheet.max_fee_ppm,
        trigger_price: 0,
        flags: 0,
    };
    Ok(Party { holder: sheet.account, is_buyer, agreed: Some(agreed) })
}

/// |price − mark| <= max(band of index, mark / 2).
fn check_band(draft: &Draft, fill: &Fill) -> Law<()> {
    let view = draft.view(underlying_of(fill.instrument))?;
    let mark = i128::from(mark_of_id(draft, fill.instrument)?);
    let index = i128::from(view.snapshot().index_price);
    let band = ppm_down(index, view.parameters().band_ppm).max(div_down(mark, 2));
    let price = i128::from(fill.price);
    if (price - mark).abs() > band {
        let detail = format!("price = {price}, mark {mark}, band {band}");
        return Err(reject(Reason::OutsideBand, detail));
    }
    Ok(())
}

/// The fill is what the order asked for, and the order is alive.
fn check_agreed(draft: &Draft, agreed: &Agreed, is_buyer: bool, fill: &Fill) -> Law<()> {
    if agreed.instrument != fill.instrument {
        let detail = format!("order {}, fill {}", agreed.instrument, fill.instrument);
        return Err(reject(Reason::OtherInstrument, detail));
    }
    let (price, limit) = (fill.price, agreed.limit_price);
    if if is_buyer { price > limit } else { price < limit } {
        return Err(reject(Reason::OutsideLimit, format!("price = {price}, limit {limit}")));
    }
    if agreed.good_till <= draft.round().time {
        let detail = format!("good_till = {}", agreed.good_till);
        return Err(reject(Reason::OrderExpired, detail));
    }
    let filled = filled_of(draft, agreed)?;
    if filled.saturating_add(fill.quantity) > agreed.quantity {
        let detail = format!("filled {filled} + {}, total {}", fill.quantity, agreed.quantity);
        return Err(reject(Reason::Overfilled, detail));
    }
    check_trigger(draft, agreed, filled)
}

/// Lots filled of the order's (slot, nonce); the rejection if a newer nonce took the slot.
fn filled_of(draft: &Draft, agreed: &Agreed) -> Law<i64> {
    let slot = draft.slot(agreed.account, agreed.slot)?;
    if agreed.nonce < slot.nonce {
        let detail = format!("nonce = {}, slot has {}", agreed.nonce, slot.nonce);
        return Err(reject(Reason::StaleNonce, detail));
    }
    Ok(if agreed.nonce == slot.nonce { slot.filled } else { 0 })
}

/// A trigger is met by the mark at the opening snapshot, or was met before (filled > 0).
fn check_trigger(draft: &Draft, agreed: &Agreed, filled: i64) -> Law<()> {
    let trigger = agreed.trigger_price;
    if trigger == 0 || filled > 0 {
        return Ok(());
    }
    let mark = mark_of_id(draft, agreed.instrument)?;
    let missed = if agreed.flags & TRIGGER_ABOVE != 0 { mark < trigger } else { mark > trigger };
    if missed {
        return Err(reject(Reason::TriggerNotMet, format!("mark = {mark}, trigger {trigger}")));
    }
    Ok(())
}

/// Brings the holder up to date and remembers it as it was before its first act.
fn begin(draft: &mut Draft, holder: i64) -> Law<()> {
    if holder < 0 { begin_fund(draft, -1 - holder) } else { begin_act(draft, holder) }
}

/// Reduce-only, halts and caps, read from the running position.
fn check_position(draft: &mut Draft, party: &Party, fill: &Fill) -> Law<()> {
    let Party { holder, agreed, .. } = party;
    let positions = positions_of(draft, *holder)?;
    let before = quantity_of(positions, fill.instrument);
    let after = before.saturating_add(party.change(fill.quantity));
    let grows = after.unsigned_abs() > before.unsigned_abs();
    let reduces =
        after.unsigned_abs() < before.unsigned_abs() && after.signum() * before.signum() >= 0;
    let only_reduces = agreed.is_some_and(|agreed| agreed.flags & REDUCE_ONLY != 0);
    if only_reduces && !reduces {
        let detail = format!("position from {before} to {after}");
        return Err(reject(Reason::ReduceOnly, detail));
    }
    let halted = draft.market(underlying_of(fill.instrument))?.halt.since != 0;
    if halted && !reduces {
        let detail = format!("position from {before} to {after}");
        return Err(reject(Reason::MarketHalted, detail));
    }
    if *holder >= 0 && grows {
        require_room(draft, positions, fill.instrument, after)?;
    }
    if *holder >= 0 && halted {
        draft.mark_must_reduce(*holder);
    }
    Ok(())
}

/// Each signed side accepted its rate, and the venue does not pay to trade.
fn check_fees(buyer: &Party, seller: &Party, fees: &Fees) -> Law<()> {
    for (party, rate) in [(buyer, fees.buyer_ppm), (seller, fees.seller_ppm)] {
        if let Some(agreed) = &party.agreed
            && rate > agreed.max_fee_ppm
        {
            let detail = format!("rate = {rate} ppm, order accepts {}", agreed.max_fee_ppm);
            return Err(reject(Reason::FeeTooHigh, detail));
        }
    }
    if fees.buyer + fees.seller < 0 {
        let detail = format!("fees = {} + {}", fees.buyer, fees.seller);
        return Err(reject(Reason::NegativeFees, detail));
    }
    Ok(())
}

/// Health of an account about to be traded without its signature; none for any other side.
fn health_before(draft: &mut Draft, party: &Party, fill: &Fill) -> Law<Option<Health>> {
    if party.holder < 0 || party.agreed.is_some() {
        return Ok(None);
    }
    before_step(draft, party.holder, fill.instrument).map(Some)
}

/// Rules of an unsigned side after its fill; nothing to do for a signed one.
fn check_after(
    draft: &mut Draft,
    party: &Party,
    fill: &Fill,
    decoded: Instrument,
    before: Option<Health>,
) -> Law<()> {
    if party.holder < 0 {
        return require_fund_reduced(draft, fill);
    }
    match before {
        Some(before) => after_step(draft, party.holder, fill, decoded.is_linear(), &before),
        None => Ok(()),
    }
}

/// The effects of a fill on one side: position, cash, fee, slot, sums of the round.
fn settle(draft: &mut Draft, party: &Party, fill: &Fill, fee: Money) -> Law<()> {
    let Party { holder, agreed, .. } = party;
    let change = party.change(fill.quantity);
    let cash = -Money::from(change) * Money::from(fill.price);
    if *holder < 0 {
        let underlying = -1 - holder;
        let fund = draft.market(underlying)?.fund.clone();
        let positions = change_position(draft, &fund.positions, fill.instrument, change)?;
        draft.put_fund(underlying, Fund { positions, cash: fund.cash + cash, ..fund })?;
    } else {
        let account = draft.account(*holder)?.clone();
        let positions = change_position(draft, &account.positions, fill.instrument, change)?;
        let cash = account.cash + cash - fee;
        let last_underlying = underlying_of(fill.instrument);
        draft.put_account(*holder, Account { positions, cash, last_underlying, ..account })?;
        draft.add_paid(*holder, fee);
        draft.add_fees(fee);
    }
    if let Some(agreed) = agreed {
        let filled = filled_of(draft, agreed)?.saturating_add(fill.quantity);
        draft.put_slot(agreed.account, agreed.slot, Slot { nonce: agreed.nonce, filled })?;
    }
    record_row(draft, *holder, fill.instrument, change, cash)
}
