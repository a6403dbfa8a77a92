//! Fills in bytes (`novate.spec.public_data.trades`).
//!
//! flags: 1 maker is the buyer | 2, 4 buyer's kind | 8, 16 seller's kind | 32 another leg follows.

use super::codec::{Coder, Integer, unsigned};
use super::records::{INSTRUMENT, PRICE, QUANTITY};
use crate::error::{Law, LawError};
use crate::types::batch::{Fill, SideKind, SideOf, Trade};

const ANOTHER_LEG: u8 = 32;
const FILL_BYTES_MIN: usize = 16;
const NUMBER: Integer = unsigned("side.number", 3, 0, (1 << 24) - 1);
const QUOTE_NUMBER: Integer = unsigned("side.quote", 1, 0, 255);
const KINDS: [SideKind; 4] =
    [SideKind::Order, SideKind::Quote, SideKind::Liquidation, SideKind::Fund];

/// The fills of a round's trades: a count of 2 bytes, at most `fills_max`, then the fills.
pub fn trades<C: Coder>(coder: &mut C, fills_max: i64, trades: &mut Vec<Trade>) -> Law<()> {
    let mut count = trades.iter().map(|trade| trade.fills.len() as i64).sum::<i64>();
    coder.integer(&unsigned("fills", 2, 0, fills_max), &mut count)?;
    coder.require_left("fills", count as usize, FILL_BYTES_MIN)?;
    if C::READS {
        return read_fills(coder, count, trades);
    }
    for trade in trades {
        if trade.fills.is_empty() {
            let detail = "a trade has at least one fill";
            return Err(LawError::Decode("empty_trade", detail.into()));
        }
        let last = trade.fills.len() - 1;
        for (place, leg) in trade.fills.iter_mut().enumerate() {
            fill(coder, leg, &mut (place < last))?;
        }
    }
    Ok(())
}

/// Legs until one ends its trade; the last one must.
fn read_fills<C: Coder>(coder: &mut C, count: i64, trades: &mut Vec<Trade>) -> Law<()> {
    let mut legs = Vec::new();
    for _ in 0..count {
        let (mut leg, mut goes_on) = (Fill::default(), false);
        fill(coder, &mut leg, &mut goes_on)?;
        legs.push(leg);
        if !goes_on {
            trades.push(Trade { fills: std::mem::take(&mut legs) });
        }
    }
    if legs.is_empty() {
        return Ok(());
    }
    let detail = format!("{} legs without the last one", legs.len());
    Err(LawError::Decode("unfinished_trade", detail))
}

/// One fill and whether another leg of its trade follows.
fn fill<C: Coder>(coder: &mut C, fill: &mut Fill, goes_on: &mut bool) -> Law<()> {
    let mut flags = u8::from(fill.maker_is_buyer)
        | (fill.buyer.kind as u8) << 1
        | (fill.seller.kind as u8) << 3
        | if *goes_on { ANOTHER_LEG } else { 0 };
    coder.tag("fill flags", 64, &mut flags)?;
    fill.maker_is_buyer = flags & 1 != 0;
    fill.buyer.kind = KINDS[usize::from(flags >> 1 & 3)];
    fill.seller.kind = KINDS[usize::from(flags >> 3 & 3)];
    *goes_on = flags & ANOTHER_LEG != 0;
    coder.integer(&INSTRUMENT, &mut fill.instrument)?;
    coder.integer(&PRICE, &mut fill.price)?;
    coder.integer(&QUANTITY, &mut fill.quantity)?;
    side(coder, &mut fill.buyer)?;
    side(coder, &mut fill.seller)
}

/// What a side's kind does not say; the error if it says what its kind has no bytes for.
fn side<C: Coder>(coder: &mut C, side: &mut SideOf) -> Law<()> {
    let (is_fund, is_quote) = (side.kind == SideKind::Fund, side.kind == SideKind::Quote);
    if (side.number != 0 && is_fund) || (side.quote != 0 && !is_quote) {
        return Err(LawError::Decode("side_not_canonical", format!("{side:?}")));
    }
    if !is_fund {
        coder.integer(&NUMBER, &mut side.number)?;
    }
    if is_quote {
        coder.integer(&QUOTE_NUMBER, &mut side.quote)?;
    }
    Ok(())
}
