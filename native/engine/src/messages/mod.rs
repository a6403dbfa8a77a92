//! What is signed: fields as elements under a tag and a domain, and the bounds they must keep.

pub mod account;
pub mod domain;
pub mod oracle;
pub mod orders;
