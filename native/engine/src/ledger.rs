//! The ledger: every change of a holder's position by trade, in sequence, with the running lots
//! (`novate.spec.ledger`).

use crate::draft::Draft;
use crate::error::Law;
use crate::holders::{positions_of, quantity_of};
use crate::types::journal::LedgerRow;
use crate::types::state::Money;

/// Appends a row after the holder's position changed.
pub fn record_row(
    draft: &mut Draft,
    holder: i64,
    instrument: i64,
    quantity: i64,
    cash: Money,
) -> Law<()> {
    let sequence = draft.next_sequence();
    let running = quantity_of(positions_of(draft, holder)?, instrument);
    draft.record_ledger(LedgerRow { holder, instrument, sequence, quantity, cash, running });
    Ok(())
}
