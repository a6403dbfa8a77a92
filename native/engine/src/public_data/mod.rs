//! A batch as bytes in the `full` form (`novate.spec.public_data`): every transaction with its
//! signatures, in integers of fixed widths.

pub mod codec;
pub mod full;
mod orders;
mod parameters;
mod records;
mod trades;
