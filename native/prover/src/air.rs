//! One AIR type for every table: rules and messages interpreted from nodes.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};

use crate::relation::{F, Node, Table};

/// A table as the library sees it.
#[derive(Clone, Debug)]
pub struct TableAir {
    table: Table,
    buses: Vec<String>,
    next_columns: Vec<usize>,
}

impl TableAir {
    /// The AIR of a table.
    pub fn new(table: Table) -> Self {
        let buses = table.interactions.iter().map(|i| format!("bus{}", i.bus)).collect();
        let next_columns = table.next_columns();
        Self { table, buses, next_columns }
    }

    /// Number of columns.
    pub fn table_width(&self) -> usize {
        self.table.width()
    }
}

impl BaseAir<F> for TableAir {
    fn width(&self) -> usize {
        self.table.width()
    }

    fn num_public_values(&self) -> usize {
        self.table.publics
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        self.next_columns.clone()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TableAir {
    fn eval(&self, builder: &mut AB) {
        let values = node_values(&self.table.nodes, builder);
        for &rule in &self.table.rules {
            builder.assert_zero(values[rule as usize].clone());
        }
        for (interaction, bus) in self.table.interactions.iter().zip(&self.buses) {
            let fields = interaction.fields.iter().map(|&field| values[field as usize].clone());
            let times = values[interaction.times as usize].clone();
            let count = match interaction.weight {
                0 => Count::provided(times),
                weight => Count::bounded(times, weight),
            };
            builder.push_interaction(bus, fields, count);
        }
    }
}

fn node_values<AB: AirBuilder<F = F>>(nodes: &[Node], builder: &AB) -> Vec<AB::Expr> {
    let window = builder.main();
    let (current, next) = (window.current_slice(), window.next_slice());
    let mut values: Vec<AB::Expr> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let value = match *node {
            Node::Column(column) => current[column as usize].into(),
            Node::Next(column) => next[column as usize].into(),
            Node::Public(place) => builder.public_values()[place as usize].into(),
            Node::Constant(word) => AB::Expr::from_u64(word),
            Node::First => builder.is_first_row(),
            Node::Last => builder.is_last_row(),
            Node::Transition => builder.is_transition(),
            Node::Add(a, b) => values[a as usize].clone() + values[b as usize].clone(),
            Node::Subtract(a, b) => values[a as usize].clone() - values[b as usize].clone(),
            Node::Multiply(a, b) => values[a as usize].clone() * values[b as usize].clone(),
        };
        values.push(value);
    }
    values
}
