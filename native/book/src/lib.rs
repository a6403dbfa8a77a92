//! The matching core: many order books under one event sequence, integers only.
//!
//! It behaves, event by event, as the reference `novate.book.exchange.Exchange` does; what each
//! request means is said there. Time, admission and positions are passed in ([`desk`]), nothing
//! here reads a clock, randomness or storage.
//!
//! * [`order`]: what a trader asks; [`event`]: what happened, and why;
//! * [`desk`]: the door between matching and risk;
//! * [`book`]: one instrument, of [`ladder`] (price levels), [`store`] (resting orders),
//!   [`accounts`] and `matching`;
//! * [`exchange`]: the books of a venue, mass quotes, streams of requests;
//! * [`packed`]: requests and events as fixed little-endian records.

pub mod accounts;
pub mod book;
pub mod desk;
pub mod error;
pub mod event;
pub mod exchange;
pub mod id_map;
pub mod ladder;
mod level_index;
mod matching;
pub mod order;
pub mod packed;
pub mod store;

pub use error::{Error, Failure};
