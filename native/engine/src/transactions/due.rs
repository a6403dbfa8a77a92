//! Phase 4: touches, liquidations and fund deleveraging, brought by the operator when due
//! (`novate.spec.transactions.due`).

use crate::draft::Draft;
use crate::error::Law;
use crate::holders::touch_account;
use crate::liquidation::{deleverage_fund, liquidate};
use crate::types::batch::Due;

/// Applies one of them; the rejection where the rule's condition does not hold.
pub fn apply_due(draft: &mut Draft, due: &Due) -> Law<()> {
    match *due {
        Due::Touch { account } => {
            touch_account(draft, account)?;
            draft.mark_touched(account);
            Ok(())
        }
        Due::Liquidate { account } => liquidate(draft, account),
        Due::DeleverageFund { underlying } => deleverage_fund(draft, underlying),
    }
}
