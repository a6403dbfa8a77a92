//! Rendered by tools/render_risk_tables.py. Do not edit.

pub mod between_nodes_table;
pub mod pricing_tables;
