//! Orders and mass quotes: what is signed, and the bounds of their fields
//! (`novate.spec.messages.orders`).

use novate_primitives::hash::Tag;

use crate::bounds::{
    GOLDILOCKS, ID_MAX, INDEX_MAX, NONCE_MAX, PPM_SIGNED_MAX, PRICE_MAX, QUANTITY_MAX, TIME_MAX,
};
use crate::error::{Law, LawError, check_range};
use crate::messages::domain::{Domain, element, packed};
use crate::types::numbers::PublicKey;
use crate::types::orders::{
    Certificate, ORDER_FLAGS_MAX, Order, Quote, SCOPE_CANCEL, SCOPE_TRADE, Sheet,
};

/// Tag of orders.
pub const ORDER: Tag = Tag::fixed("order");
/// Tag of sheets.
pub const SHEET: Tag = Tag::fixed("sheet");
/// Tag of session certificates.
pub const CERTIFICATE: Tag = Tag::fixed("cert");

/// The decode error unless every word is a canonical element.
pub fn check_key(field: &str, key: &PublicKey) -> Law<()> {
    match key.iter().find(|word| **word >= GOLDILOCKS) {
        None => Ok(()),
        Some(word) => {
            let detail = format!("{field} = {word} is not in [0, {}]", GOLDILOCKS - 1);
            Err(LawError::Decode("out_of_range", detail))
        }
    }
}

/// The decode error unless every field of the order is within its bound.
pub fn check_order(order: &Order) -> Law<()> {
    check_range("order.instrument", order.instrument, 0, ID_MAX)?;
    check_range("order.limit_price", order.limit_price, 0, PRICE_MAX)?;
    check_range("order.quantity", order.quantity, 1, QUANTITY_MAX)?;
    check_range("order.slot", order.slot, 0, INDEX_MAX)?;
    check_range("order.nonce", order.nonce, 1, NONCE_MAX)?;
    check_range("order.good_till", order.good_till, 0, TIME_MAX)?;
    check_range("order.max_fee_ppm", order.max_fee_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)?;
    check_range("order.trigger_price", order.trigger_price, 0, PRICE_MAX)?;
    check_range("order.flags", order.flags, 0, ORDER_FLAGS_MAX)?;
    Ok(())
}

/// The decode error unless every field of the sheet is within its bound.
pub fn check_sheet(sheet: &Sheet, quotes_max: i64) -> Law<()> {
    check_range("sheet.base_slot", sheet.base_slot, 0, INDEX_MAX)?;
    check_range("sheet.nonce", sheet.nonce, 1, NONCE_MAX)?;
    check_range("sheet.good_till", sheet.good_till, 0, TIME_MAX)?;
    check_range("sheet.max_fee_ppm", sheet.max_fee_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)?;
    check_range("sheet.quotes", sheet.quotes.len() as i64, 1, quotes_max)?;
    for quote in &sheet.quotes {
        check_range("quote.instrument", quote.instrument, 0, ID_MAX)?;
        check_range("quote.bid_price", quote.bid_price, 0, PRICE_MAX)?;
        check_range("quote.ask_price", quote.ask_price, 0, PRICE_MAX)?;
        check_range("quote.bid_quantity", quote.bid_quantity, 0, QUANTITY_MAX)?;
        check_range("quote.ask_quantity", quote.ask_quantity, 0, QUANTITY_MAX)?;
    }
    Ok(())
}

/// The decode error unless scope, expiry and the key's elements are within their bounds.
pub fn check_certificate(certificate: &Certificate) -> Law<()> {
    check_key("certificate.key", &certificate.key)?;
    check_range("certificate.scope", certificate.scope, 0, SCOPE_TRADE | SCOPE_CANCEL)?;
    check_range("certificate.expiry", certificate.expiry, 0, TIME_MAX)?;
    Ok(())
}

/// Appends what is signed of a checked order under [`ORDER`].
pub fn order_elements(order: &Order, domain: &Domain, epoch: i64, elements: &mut Vec<u64>) {
    domain.write(epoch, elements);
    elements.extend([
        order.account as u64,
        order.instrument as u64,
        u64::from(order.is_buy) | (order.flags as u64) << 1,
        order.limit_price as u64,
        order.quantity as u64,
        packed(order.slot, order.nonce),
        order.good_till as u64,
        element(order.max_fee_ppm.into()),
        order.trigger_price as u64,
    ]);
}

/// Appends what is signed of a checked sheet under [`SHEET`]: the header, three elements a quote.
pub fn sheet_elements(sheet: &Sheet, domain: &Domain, epoch: i64, elements: &mut Vec<u64>) {
    domain.write(epoch, elements);
    elements.extend([
        sheet.account as u64,
        packed(sheet.base_slot, sheet.nonce),
        sheet.good_till as u64,
        element(sheet.max_fee_ppm.into()),
        sheet.quotes.len() as u64,
    ]);
    elements.extend(sheet.quotes.iter().flat_map(quote_elements));
}

/// Instrument, then price and quantity in 31 + 31 bits for each side.
fn quote_elements(quote: &Quote) -> [u64; 3] {
    [
        quote.instrument as u64,
        quote.bid_price as u64 | (quote.bid_quantity as u64) << 31,
        quote.ask_price as u64 | (quote.ask_quantity as u64) << 31,
    ]
}

/// Appends what the trading key signs of a certificate under [`CERTIFICATE`].
pub fn certificate_elements(
    certificate: &Certificate,
    domain: &Domain,
    account: i64,
    key_epoch: i64,
    elements: &mut Vec<u64>,
) {
    domain.write(key_epoch, elements);
    elements.extend([account as u64, certificate.scope as u64, certificate.expiry as u64]);
    elements.extend(certificate.key);
}

/// The order slot of one side of a quote.
#[must_use]
pub fn quote_slot(sheet: &Sheet, quote: i64, is_bid: bool) -> i64 {
    sheet.base_slot + 2 * quote + i64::from(!is_bid)
}
