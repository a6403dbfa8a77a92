//! Oracle reports: what is signed, and the bounds of their fields (`novate.spec.messages.oracle`).

use novate_primitives::hash::Tag;
use novate_risk::smile::NODES;

use crate::bounds::{PPM_SIGNED_MAX, PRICE_MAX, TIME_MAX, VERSION, VOL_PPM_MAX};
use crate::error::{Law, check_range};
use crate::messages::domain::element;
use crate::types::oracle::Report;
use crate::types::parameters::Parameters;
use crate::types::state::ExpiryFields;

/// Tag of reports.
pub const REPORT: Tag = Tag::fixed("report");

/// The decode error unless every field of the report is within its bound.
pub fn check_report(report: &Report, expiries_max: i64) -> Law<()> {
    check_range("report.time", report.time, 1, TIME_MAX)?;
    check_range("report.index_price", report.index_price, 1, PRICE_MAX)?;
    check_range("report.mean", report.mean, 1, PRICE_MAX)?;
    check_range("report.premium_ppm", report.premium_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)?;
    check_range("report.expiries", report.expiries.len() as i64, 0, expiries_max)?;
    let sorted = report.expiries.windows(2).all(|pair| pair[0].day < pair[1].day);
    check_range("report.expiries sorted by distinct day", i64::from(sorted), 1, 1)?;
    for expiry in &report.expiries {
        check_range("expiry.day", expiry.day, 1, (1 << 16) - 1)?;
        check_range("expiry.basis_ppm", expiry.basis_ppm, -999_999, PPM_SIGNED_MAX)?;
        check_range("expiry.vols_ppm", expiry.vols_ppm.len() as i64, NODES as i64, NODES as i64)?;
        for vol in &expiry.vols_ppm {
            check_range("expiry.vol_ppm", *vol, 1, VOL_PPM_MAX)?;
        }
    }
    Ok(())
}

/// Appends what is signed of a checked report under [`REPORT`]. Reports hold on every fork and in
/// every epoch.
pub fn report_elements(report: &Report, parameters: &Parameters, elements: &mut Vec<u64>) {
    elements.push(element(parameters.chain_id.into()));
    elements.extend(parameters.settlement_contract.elements());
    elements.extend([
        VERSION,
        report.underlying as u64,
        report.time as u64,
        report.index_price as u64,
        element(report.premium_ppm.into()),
        report.mean as u64,
        report.expiries.len() as u64,
    ]);
    report.expiries.iter().for_each(|expiry| expiry_elements(expiry, elements));
}

/// Appends day, basis, number of nodes, then the volatilities.
pub fn expiry_elements(expiry: &ExpiryFields, elements: &mut Vec<u64>) {
    elements.extend([
        element(expiry.day.into()),
        element(expiry.basis_ppm.into()),
        expiry.vols_ppm.len() as u64,
    ]);
    elements.extend(expiry.vols_ppm.iter().map(|vol| element((*vol).into())));
}
