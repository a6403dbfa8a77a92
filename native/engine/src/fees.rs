//! Trading fees (`novate.spec.fees`): a rate by tier and role, on notional; an option's is capped
//! by its premium.

use novate_risk::Instrument;

use crate::arithmetic::{ppm_down, ppm_up};
use crate::draft::Draft;
use crate::error::{Law, corrupt};
use crate::holders::underlying_of;
use crate::types::batch::Fill;
use crate::types::state::Money;

/// Fees of a fill (negative: a rebate) and the rates they come from, ppm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    pub buyer: Money,
    pub seller: Money,
    pub buyer_ppm: i64,
    pub seller_ppm: i64,
}

/// Fees of both sides; a fund (holder < 0) pays none. `decoded`: the fill's instrument.
pub fn fill_fees(
    draft: &Draft,
    fill: &Fill,
    decoded: Instrument,
    buyer: i64,
    seller: i64,
) -> Law<Fees> {
    let buyer_ppm = fee_rate(draft, buyer, fill.maker_is_buyer)?;
    let seller_ppm = fee_rate(draft, seller, !fill.maker_is_buyer)?;
    Ok(Fees {
        buyer: fee(draft, fill, decoded, buyer_ppm)?,
        seller: fee(draft, fill, decoded, seller_ppm)?,
        buyer_ppm,
        seller_ppm,
    })
}

/// The holder's rate, ppm; tiers that parameters no longer list count as tier 0.
fn fee_rate(draft: &Draft, holder: i64, is_maker: bool) -> Law<i64> {
    if holder < 0 {
        return Ok(0);
    }
    let tiers = &draft.parameters().fee_tiers;
    let tier = draft.account(holder)?.tier;
    let listed = usize::try_from(tier).ok().and_then(|tier| tiers.get(tier));
    let rates = listed.or(tiers.first()).ok_or_else(|| corrupt("no fee tiers"))?;
    Ok(if is_maker { rates.maker_ppm } else { rates.taker_ppm })
}

/// rate · notional rounded up; of an option on index · lots, within the cap of its premium.
fn fee(draft: &Draft, fill: &Fill, decoded: Instrument, rate_ppm: i64) -> Law<Money> {
    let (price, lots) = (i128::from(fill.price), i128::from(fill.quantity));
    let premium = price * lots;
    if decoded.is_linear() {
        return Ok(ppm_up(premium, rate_ppm));
    }
    let index = draft.view(underlying_of(fill.instrument))?.snapshot().index_price;
    let amount = ppm_up(i128::from(index) * lots, rate_ppm);
    let cap = ppm_down(premium, draft.parameters().option_fee_cap_ppm);
    Ok(amount.min(cap).max(-cap))
}
