//! Phase 2: anyone may ask on L1 that an account below maintenance margin be dealt with
//! (`novate.spec.transactions.forced_liquidation`).

use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::liquidation::{liquidate, update_status};
use crate::margin_rule::facts;
use crate::types::inbox::ForcedLiquidation;
use crate::types::journal::RequestOutcome;

/// Takeover or deleveraging if the waterfall is open; else sets the status if E < M.
pub fn forced_liquidation(draft: &mut Draft, request: &ForcedLiquidation) -> Law<RequestOutcome> {
    let index = request.account;
    let was_marked = draft.account(index)?.liquidation_since != 0;
    let now = update_status(draft, index)?;
    if now.equity >= now.maintenance {
        let detail = format!("account {index}: {}", facts(&now));
        return Err(reject(Reason::NotBelowMargin, detail));
    }
    if !was_marked {
        return Ok(RequestOutcome::Marked);
    }
    liquidate(draft, index)?;
    Ok(RequestOutcome::Done)
}
