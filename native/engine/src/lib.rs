//! The law at speed: `apply_batch` of `novate.spec`, written from the specification.
//!
//! * [`types`]: states, batches, journals; [`border`]: their one encoding for tests and snapshots;
//!   [`public_data`]: the `full` form of a batch in bytes;
//! * [`draft`]: the state while a batch is applied, with an undo log;
//! * [`batch`]: the table of contents; [`sequencer`]: the same for one open batch, by records;
//! * [`valuation`], [`margin_rule`], [`liquidation`], [`transactions`]: the rules;
//! * [`commitment`]: roots, kept up to date.
//!
//! It knows nothing of Python, sockets, disks or clocks.

pub mod arithmetic;
pub mod authorization;
pub mod batch;
pub mod border;
mod border_types;
pub mod bounds;
pub mod caps;
pub mod commitment;
pub mod deleverage;
pub mod draft;
pub mod engine;
pub mod error;
pub mod expiry;
pub mod fees;
pub mod funding;
pub mod funds;
pub mod genesis;
pub mod holders;
pub mod layout;
pub mod ledger;
pub mod liquidation;
pub mod listing;
pub mod margin_rule;
pub mod messages;
pub mod oracle;
pub mod parameters_check;
pub mod payments;
pub mod public_data;
pub mod round;
pub mod sequencer;
pub mod signatures;
pub mod slots;
pub mod state_check;
pub mod transactions;
pub mod types;
pub mod valuation;

pub use engine::{Applied, Changes, Engine};
pub use error::{Fault, Law, LawError, Reason};
