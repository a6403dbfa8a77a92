//! The `full` form: every transaction of a batch with its signatures
//! (`novate.spec.public_data.full`). Anyone can recompute from it.

use std::sync::Arc;

use super::codec::{Coder, List, Reader, Writer};
use super::orders::{ORDER_BYTES_MIN, SHEET_BYTES_MIN, order, sheet};
use super::parameters::parameters;
use super::records::{
    CHANGE_BYTES_MIN, COUNTER, DUE_BYTES_MIN, MOVE_BYTES_MIN, REPORTS_BYTES_MIN, REQUEST_BYTES_MIN,
    TIME, change, due, market_reports, request, transaction,
};
use super::trades::trades;
use crate::error::Law;
use crate::types::batch::{Batch, Round};
use crate::types::preset::Preset;

const ROUND_BYTES_MIN: usize = 24;

/// The bytes of a batch; the decode error if a field is out of the range that bytes can say.
pub fn encode_full(batch: &Batch) -> Law<Vec<u8>> {
    let mut writer = Writer::default();
    code(&mut writer, &Preset::main(), &mut batch.clone())?;
    Ok(writer.out)
}

/// The batch of exactly these bytes, with counts within the preset; the decode error otherwise.
pub fn decode_full(data: &[u8], preset: &Preset) -> Law<Batch> {
    let mut reader = Reader::new(data);
    let mut batch = Batch::default();
    code(&mut reader, preset, &mut batch)?;
    reader.finish()?;
    Ok(batch)
}

fn code<C: Coder>(coder: &mut C, preset: &Preset, batch: &mut Batch) -> Law<()> {
    coder.integer(&COUNTER, &mut batch.number)?;
    coder.integer(&COUNTER, &mut batch.fork)?;
    coder.optional(&mut batch.parameters, |coder, shared| {
        parameters(coder, preset, Arc::make_mut(shared))
    })?;
    coder.flag(&mut batch.reset_slots)?;
    let most = preset.rounds_max;
    let list = List { name: "rounds", width: 1, least: 1, most, smallest: ROUND_BYTES_MIN };
    coder.list(&list, &mut batch.rounds, |coder, content| round(coder, preset, content))
}

/// Time, then the transactions by phase, each phase a count and its records.
fn round<C: Coder>(coder: &mut C, preset: &Preset, content: &mut Round) -> Law<()> {
    let list = |name, width, most, smallest| List { name, width, least: 0, most, smallest };
    let records = preset.records_max();
    coder.integer(&TIME, &mut content.time)?;
    let reports = list("reports", 2, preset.markets_max(), REPORTS_BYTES_MIN);
    coder.list(&reports, &mut content.reports, |coder, quorum| {
        market_reports(coder, preset, quorum)
    })?;
    let requests = list("requests", 2, preset.inbox_max, REQUEST_BYTES_MIN);
    coder.list(&requests, &mut content.requests, request)?;
    coder.list(&list("changes", 3, records, CHANGE_BYTES_MIN), &mut content.changes, change)?;
    coder.list(&list("due", 3, records, DUE_BYTES_MIN), &mut content.due, due)?;
    coder.list(&list("orders", 3, records, ORDER_BYTES_MIN), &mut content.orders, order)?;
    let sheets = list("sheets", 3, records, SHEET_BYTES_MIN);
    coder.list(&sheets, &mut content.sheets, |coder, signed| sheet(coder, preset, signed))?;
    trades(coder, preset.fills_max, &mut content.trades)?;
    coder.list(&list("moves", 3, records, MOVE_BYTES_MIN), &mut content.moves, transaction)
}
