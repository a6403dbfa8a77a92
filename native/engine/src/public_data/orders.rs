//! Orders, mass quotes, authorizations in bytes (`novate.spec.public_data.orders`).

use super::codec::{Coder, List, unsigned};
use super::records::{ACCOUNT, FEE_PPM, INSTRUMENT, NONCE, PRICE, QUANTITY, SLOT, TIME};
use crate::error::{Law, LawError, check_range};
use crate::messages::orders::{check_certificate, check_order, check_sheet};
use crate::types::orders::{
    Authorization, Certificate, ORDER_FLAGS_MAX, Order, Quote, SCOPE_CANCEL, SCOPE_TRADE,
    SignedOrder, SignedSheet,
};
use crate::types::preset::Preset;

/// Bits of an order's flags byte above `is_buy` (1) and the order's own flags (2 to 32).
const HAS_TRIGGER: i64 = 64;
const HAS_CERTIFICATE: i64 = 128;

pub const ORDER_BYTES_MIN: usize = 89;
const QUOTE_BYTES: usize = 23;
pub const SHEET_BYTES_MIN: usize = 19 + QUOTE_BYTES + 57;

/// flags | account | instrument | limit | quantity | slot | nonce | good till | fee | …
pub fn order<C: Coder>(coder: &mut C, signed: &mut SignedOrder) -> Law<()> {
    let SignedOrder { message: order, authorization } = signed;
    if !C::READS {
        check_order(order)?;
        check_range("order.flags", order.flags, 0, ORDER_FLAGS_MAX)?;
    }
    let bit = |is_there: bool, bit: i64| if is_there { bit } else { 0 };
    let mut flags = i64::from(order.is_buy)
        | order.flags << 1
        | bit(order.trigger_price != 0, HAS_TRIGGER)
        | bit(authorization.certificate.is_some(), HAS_CERTIFICATE);
    coder.integer(&unsigned("order flags", 1, 0, 255), &mut flags)?;
    order.is_buy = flags & 1 != 0;
    order.flags = flags >> 1 & ORDER_FLAGS_MAX;
    order_fields(coder, order)?;
    if flags & HAS_TRIGGER != 0 {
        coder.integer(&PRICE, &mut order.trigger_price)?;
        if order.trigger_price == 0 {
            let detail = "an order without a trigger has no trigger bytes";
            return Err(LawError::Decode("zero_trigger", detail.into()));
        }
    }
    check_order(order)?;
    coder.signature(&mut authorization.signature)?;
    if C::READS {
        authorization.certificate = (flags & HAS_CERTIFICATE != 0).then(Box::default);
    }
    let certificate = authorization.certificate.as_mut();
    certificate.map_or(Ok(()), |certificate| self::certificate(coder, certificate))
}

fn order_fields<C: Coder>(coder: &mut C, order: &mut Order) -> Law<()> {
    coder.integer(&ACCOUNT, &mut order.account)?;
    coder.integer(&INSTRUMENT, &mut order.instrument)?;
    coder.integer(&PRICE, &mut order.limit_price)?;
    coder.integer(&QUANTITY, &mut order.quantity)?;
    coder.integer(&SLOT, &mut order.slot)?;
    coder.integer(&NONCE, &mut order.nonce)?;
    coder.integer(&TIME, &mut order.good_till)?;
    coder.integer(&FEE_PPM, &mut order.max_fee_ppm)
}

fn certificate<C: Coder>(coder: &mut C, certificate: &mut Certificate) -> Law<()> {
    if !C::READS {
        check_certificate(certificate)?;
    }
    coder.key(&mut certificate.key)?;
    let scope = unsigned("scope", 1, 0, SCOPE_TRADE | SCOPE_CANCEL);
    coder.integer(&scope, &mut certificate.scope)?;
    coder.integer(&TIME, &mut certificate.expiry)?;
    coder.signature(&mut certificate.signature)
}

/// A signature, then a certificate if there is one.
pub fn authorization<C: Coder>(coder: &mut C, authorization: &mut Authorization) -> Law<()> {
    coder.signature(&mut authorization.signature)?;
    coder.optional(&mut authorization.certificate, |coder, boxed| certificate(coder, boxed))
}

/// A mass quote with its authorization.
pub fn sheet<C: Coder>(coder: &mut C, preset: &Preset, signed: &mut SignedSheet) -> Law<()> {
    let most = preset.sheet_quotes_max;
    let sheet = &mut signed.message;
    if !C::READS {
        check_sheet(sheet, most)?;
    }
    coder.integer(&ACCOUNT, &mut sheet.account)?;
    coder.integer(&SLOT, &mut sheet.base_slot)?;
    coder.integer(&NONCE, &mut sheet.nonce)?;
    coder.integer(&TIME, &mut sheet.good_till)?;
    coder.integer(&FEE_PPM, &mut sheet.max_fee_ppm)?;
    let list = List { name: "sheet.quotes", width: 1, least: 1, most, smallest: QUOTE_BYTES };
    coder.list(&list, &mut sheet.quotes, quote)?;
    if C::READS {
        check_sheet(sheet, most)?;
    }
    authorization(coder, &mut signed.authorization)
}

fn quote<C: Coder>(coder: &mut C, quote: &mut Quote) -> Law<()> {
    coder.integer(&INSTRUMENT, &mut quote.instrument)?;
    coder.integer(&PRICE, &mut quote.bid_price)?;
    coder.integer(&QUANTITY, &mut quote.bid_quantity)?;
    coder.integer(&PRICE, &mut quote.ask_price)?;
    coder.integer(&QUANTITY, &mut quote.ask_quantity)
}
