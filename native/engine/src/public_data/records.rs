//! Requests, reports, changes, due transactions and moves in bytes
//! (`novate.spec.public_data.{fields, requests, reports, acts}`).

use super::codec::{Coder, Integer, List, signed, unsigned};
use super::orders::authorization;
use crate::bounds::{
    AMOUNT_MAX, ID_MAX, NONCE_MAX, PPM_SIGNED_MAX, PRICE_MAX, QUANTITY_MAX, TIME_MAX, VOL_PPM_MAX,
};
use crate::error::{Law, LawError};
use crate::messages::oracle::check_report;
use crate::types::account::{Change, Move, Signed};
use crate::types::batch::{Due, MarketReports};
use crate::types::inbox::Request;
use crate::types::numbers::Address;
use crate::types::oracle::{Report, SignedReport};
use crate::types::preset::Preset;
use crate::types::state::ExpiryFields;

pub const ACCOUNT: Integer = unsigned("account", 3, 0, (1 << 24) - 1);
pub const UNDERLYING: Integer = unsigned("underlying", 1, 0, 255);
pub const INSTRUMENT: Integer = unsigned("instrument", 7, 0, ID_MAX);
pub const PRICE: Integer = unsigned("price", 4, 0, PRICE_MAX);
pub const QUANTITY: Integer = unsigned("quantity", 4, 0, QUANTITY_MAX);
const SIGNED_QUANTITY: Integer = signed("quantity", 4, -QUANTITY_MAX, QUANTITY_MAX);
const AMOUNT: Integer = unsigned("amount", 8, 0, AMOUNT_MAX);
pub const SLOT: Integer = unsigned("slot", 2, 0, (1 << 16) - 1);
pub const NONCE: Integer = unsigned("nonce", 4, 0, NONCE_MAX);
pub const TIME: Integer = unsigned("time", 4, 0, TIME_MAX);
pub const FEE_PPM: Integer = signed("max_fee_ppm", 4, -PPM_SIGNED_MAX, PPM_SIGNED_MAX);
pub const COUNTER: Integer = unsigned("counter", 4, 0, (1 << 32) - 1);
const TIER: Integer = unsigned("tier", 1, 0, 255);

const PREMIUM: Integer = signed("premium_ppm", 4, -PPM_SIGNED_MAX, PPM_SIGNED_MAX);
const DAY: Integer = unsigned("expiry.day", 2, 1, (1 << 16) - 1);
const BASIS: Integer = signed("expiry.basis_ppm", 4, -999_999, PPM_SIGNED_MAX);
const VOL: Integer = unsigned("expiry.vol_ppm", 3, 1, VOL_PPM_MAX);
const ORACLE: Integer = unsigned("oracle", 1, 0, 255);

pub const REPORTS_BYTES_MIN: usize = 69;
pub const REQUEST_BYTES_MIN: usize = 4;
pub const CHANGE_BYTES_MIN: usize = 5;
pub const DUE_BYTES_MIN: usize = 2;
pub const MOVE_BYTES_MIN: usize = 82;

/// An L1 address in 20 bytes.
pub fn address<C: Coder>(coder: &mut C, address: &mut Address) -> Law<()> {
    coder.bytes(&mut address.0)
}

/// Kind, then the fields.
pub fn request<C: Coder>(coder: &mut C, request: &mut Request) -> Law<()> {
    let mut kind = request.kind();
    coder.tag("request", 8, &mut kind)?;
    if C::READS {
        *request = Request::empty(kind);
    }
    match request {
        Request::Deposit(deposit) => {
            coder.integer(&ACCOUNT, &mut deposit.account)?;
            address(coder, &mut deposit.owner)?;
            address(coder, &mut deposit.sender)?;
            coder.integer(&AMOUNT, &mut deposit.amount)
        }
        Request::FundDeposit(deposit) => {
            coder.integer(&UNDERLYING, &mut deposit.underlying)?;
            address(coder, &mut deposit.sender)?;
            coder.integer(&AMOUNT, &mut deposit.amount)
        }
        Request::RegisterKey(register) => {
            coder.integer(&ACCOUNT, &mut register.account)?;
            address(coder, &mut register.owner)?;
            coder.key(&mut register.key)
        }
        Request::AllowOwner(allow) => {
            coder.integer(&ACCOUNT, &mut allow.account)?;
            address(coder, &mut allow.owner)?;
            address(coder, &mut allow.allowed)
        }
        Request::ForcedWithdrawal(forced) => {
            coder.integer(&ACCOUNT, &mut forced.account)?;
            address(coder, &mut forced.owner)?;
            coder.integer(&AMOUNT, &mut forced.amount)
        }
        Request::ForcedClose(forced) => {
            coder.integer(&ACCOUNT, &mut forced.account)?;
            address(coder, &mut forced.owner)?;
            coder.integer(&INSTRUMENT, &mut forced.instrument)
        }
        Request::ForcedLiquidation(forced) => coder.integer(&ACCOUNT, &mut forced.account),
        Request::ForcedCancel(forced) => {
            coder.integer(&ACCOUNT, &mut forced.account)?;
            address(coder, &mut forced.owner)
        }
    }
}

/// What all reports of a quorum share, then each report.
pub fn market_reports<C: Coder>(
    coder: &mut C,
    preset: &Preset,
    quorum: &mut MarketReports,
) -> Law<()> {
    let (mut time, mut days) = (0, Vec::new());
    if !C::READS {
        (time, days) = shared_fields(preset, quorum)?;
    }
    coder.integer(&UNDERLYING, &mut quorum.underlying)?;
    coder.integer(&TIME, &mut time)?;
    let most = preset.expiries_max;
    let list = List { name: "report.expiries", width: 1, least: 0, most, smallest: 1 };
    coder.list(&list, &mut days, |coder, day| coder.integer(&DAY, day))?;
    let most = preset.reports_max;
    let list =
        List { name: "reports of a market", width: 1, least: 1, most, smallest: REPORTS_BYTES_MIN };
    let underlying = quorum.underlying;
    coder.list(&list, &mut quorum.reports, |coder, signed: &mut SignedReport| {
        if C::READS {
            let expiry = |&day: &i64| ExpiryFields { day, ..ExpiryFields::default() };
            let expiries = days.iter().map(expiry).collect();
            signed.report = Report { underlying, time, expiries, ..Report::default() };
        }
        report(coder, signed)?;
        check_report(&signed.report, preset.expiries_max)
    })
}

/// The time and days that every report of a quorum has; the error if there are no such.
fn shared_fields(preset: &Preset, quorum: &MarketReports) -> Law<(i64, Vec<i64>)> {
    let days = |report: &Report| report.expiries.iter().map(|expiry| expiry.day).collect();
    let Some(first) = quorum.reports.first().map(|signed| &signed.report) else {
        let detail = format!("0 reports, 1 to {}", preset.reports_max);
        return Err(LawError::Decode("out_of_range", detail));
    };
    let shared: Vec<i64> = days(first);
    for SignedReport { report, oracle, .. } in &quorum.reports {
        let own: Vec<i64> = days(report);
        if report.underlying != quorum.underlying || report.time != first.time || own != shared {
            return Err(LawError::Decode("reports_differ", format!("report of {oracle}")));
        }
        check_report(report, preset.expiries_max)?;
    }
    Ok((first.time, shared))
}

/// What is a report's own.
fn report<C: Coder>(coder: &mut C, signed: &mut SignedReport) -> Law<()> {
    coder.integer(&ORACLE, &mut signed.oracle)?;
    coder.integer(&PRICE, &mut signed.report.index_price)?;
    coder.integer(&PREMIUM, &mut signed.report.premium_ppm)?;
    coder.integer(&PRICE, &mut signed.report.mean)?;
    for expiry in &mut signed.report.expiries {
        coder.integer(&BASIS, &mut expiry.basis_ppm)?;
        expiry.vols_ppm.resize(novate_risk::smile::NODES, 0);
        expiry.vols_ppm.iter_mut().try_for_each(|vol| coder.integer(&VOL, vol))?;
    }
    coder.signature(&mut signed.signature)
}

/// Kind, then the change.
pub fn change<C: Coder>(coder: &mut C, change: &mut Change) -> Law<()> {
    let mut kind = match change {
        Change::RotateKey(_) => 0,
        Change::CancelAll(_) => 1,
        Change::SetTier(_) => 2,
    };
    coder.tag("change", 3, &mut kind)?;
    if C::READS {
        *change = match kind {
            0 => Change::RotateKey(Signed::default()),
            1 => Change::CancelAll(Signed::default()),
            _ => Change::default(),
        };
    }
    match change {
        Change::RotateKey(Signed { message, authorization: by }) => {
            coder.integer(&ACCOUNT, &mut message.account)?;
            coder.key(&mut message.key)?;
            authorization(coder, by)
        }
        Change::CancelAll(Signed { message, authorization: by }) => {
            coder.integer(&ACCOUNT, &mut message.account)?;
            authorization(coder, by)
        }
        Change::SetTier(change) => {
            coder.integer(&ACCOUNT, &mut change.account)?;
            coder.integer(&TIER, &mut change.tier)
        }
    }
}

/// Kind, then the account or underlying.
pub fn due<C: Coder>(coder: &mut C, due: &mut Due) -> Law<()> {
    let (mut kind, mut named) = match due {
        Due::Touch { account } => (0, *account),
        Due::Liquidate { account } => (1, *account),
        Due::DeleverageFund { underlying } => (2, *underlying),
    };
    coder.tag("due", 3, &mut kind)?;
    coder.integer(if kind == 2 { &UNDERLYING } else { &ACCOUNT }, &mut named)?;
    *due = match kind {
        0 => Due::Touch { account: named },
        1 => Due::Liquidate { account: named },
        _ => Due::DeleverageFund { underlying: named },
    };
    Ok(())
}

/// Kind, then the move.
pub fn transaction<C: Coder>(coder: &mut C, transaction: &mut Move) -> Law<()> {
    let mut kind = match transaction {
        Move::Transfer(_) => 0,
        Move::Position(_) => 1,
        Move::Withdrawal(_) => 2,
    };
    coder.tag("move", 3, &mut kind)?;
    if C::READS {
        *transaction = match kind {
            0 => Move::default(),
            1 => Move::Position(Signed::default()),
            _ => Move::Withdrawal(Signed::default()),
        };
    }
    match transaction {
        Move::Transfer(Signed { message, authorization: by }) => {
            coder.integer(&ACCOUNT, &mut message.account)?;
            coder.integer(&ACCOUNT, &mut message.recipient)?;
            coder.integer(&AMOUNT, &mut message.amount)?;
            replay(coder, &mut message.slot, &mut message.nonce, &mut message.good_till)?;
            authorization(coder, by)
        }
        Move::Position(Signed { message, authorization: by }) => {
            coder.integer(&ACCOUNT, &mut message.account)?;
            coder.integer(&ACCOUNT, &mut message.recipient)?;
            coder.integer(&INSTRUMENT, &mut message.instrument)?;
            coder.integer(&SIGNED_QUANTITY, &mut message.quantity)?;
            replay(coder, &mut message.slot, &mut message.nonce, &mut message.good_till)?;
            authorization(coder, by)
        }
        Move::Withdrawal(Signed { message, authorization: by }) => {
            coder.integer(&ACCOUNT, &mut message.account)?;
            coder.integer(&AMOUNT, &mut message.amount)?;
            coder.integer(&AMOUNT, &mut message.min_payout)?;
            replay(coder, &mut message.slot, &mut message.nonce, &mut message.good_till)?;
            authorization(coder, by)
        }
    }
}

/// What keeps a move from being replayed.
fn replay<C: Coder>(
    coder: &mut C,
    slot: &mut i64,
    nonce: &mut i64,
    good_till: &mut i64,
) -> Law<()> {
    coder.integer(&SLOT, slot)?;
    coder.integer(&NONCE, nonce)?;
    coder.integer(&TIME, good_till)
}
