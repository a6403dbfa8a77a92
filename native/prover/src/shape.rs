//! Everything about a proof that relation and profile fix: counts, degrees, rounds.

use crate::profile::{Config, Profile};
use crate::relation::{Node, Relation, Table};

/// One round of WHIR, or its end: rows opened in the tree before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queries {
    /// Rows opened.
    pub count: usize,
    /// Elements of a row.
    pub width: usize,
    /// Whether they are of the base field (the first tree) or of the extension.
    pub base: bool,
    /// log2 of the leaves.
    pub log_leaves: usize,
    /// Bits of proof-of-work before the indices are drawn.
    pub pow_bits: usize,
}

/// A sumcheck of quadratic polynomials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quadratic {
    /// Rounds, one variable each.
    pub rounds: usize,
    /// Bits of proof-of-work in each.
    pub pow_bits: usize,
}

/// One round of WHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Answers out of domain.
    pub ood: usize,
    /// Queries in the previous tree.
    pub queries: Queries,
    /// The sumcheck that folds on.
    pub fold: Quadratic,
}

/// The shape of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Layers of the reduction of lookups; `None` without lookups.
    pub lookup_layers: Option<usize>,
    /// Rounds of the zerocheck.
    pub zerocheck_rounds: usize,
    /// Values sent in each of them.
    pub zerocheck_degree: usize,
    /// Whether each of them has proof-of-work.
    pub zerocheck_pow: bool,
    /// Columns opened in this row and in the row below, of each table.
    pub openings: Vec<(usize, usize)>,
    /// Answers out of domain for the first tree.
    pub initial_ood: usize,
    /// The first fold.
    pub initial_fold: Quadratic,
    /// Rounds of WHIR.
    pub rounds: Vec<Round>,
    /// log2 of the final polynomial's length.
    pub final_variables: usize,
    /// Queries in the last tree.
    pub final_queries: Queries,
    /// The last sumcheck.
    pub final_fold: Quadratic,
}

/// log2, rounded up.
fn log2_ceil(value: usize) -> usize {
    value.next_power_of_two().trailing_zeros() as usize
}

/// Degree in columns and selectors of every node, without cancellation.
fn degrees(table: &Table) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::with_capacity(table.nodes.len());
    for node in &table.nodes {
        found.push(match *node {
            Node::Public(_) | Node::Constant(_) => 0,
            Node::Column(_) | Node::Next(_) => 1,
            Node::First | Node::Last | Node::Transition => 1,
            Node::Add(a, b) | Node::Subtract(a, b) => found[a as usize].max(found[b as usize]),
            Node::Multiply(a, b) => found[a as usize] + found[b as usize],
        });
    }
    found
}

/// Highest degree of a rule or message of the relation.
fn degree(relation: &Relation) -> usize {
    let of = |table: &Table| {
        let degrees = degrees(table);
        let messages = table.interactions.iter().flat_map(|i| i.fields.iter().chain([&i.times]));
        let all = table.rules.iter().chain(messages);
        all.map(|&node| degrees[node as usize]).max().unwrap_or(0)
    };
    relation.tables.iter().map(of).max().unwrap_or(0)
}

impl Shape {
    /// The shape of proofs of a relation under a profile.
    pub fn new(relation: &Relation, profile: &Profile, config: &Config) -> Self {
        let heights = &profile.log_rows;
        let leaves: usize =
            relation.tables.iter().zip(heights).map(|(t, h)| t.interactions.len() << h).sum();
        let lookup_layers = (leaves > 0).then(|| log2_ceil(leaves));
        let tallest = heights.iter().copied().max().unwrap_or(0);
        let whir = config.whir();
        let schedule = whir.folding_schedule();
        let rounds = whir.round_parameters();
        let fold_of = |place: usize, pow_bits: usize| Quadratic {
            rounds: schedule.get(place).copied().unwrap_or(0),
            pow_bits,
        };
        let row = |place: usize, count: usize, log_leaves: usize, pow_bits: usize| Queries {
            count: count.min(1 << log_leaves),
            width: 1 << schedule[place],
            base: place == 0,
            log_leaves,
            pow_bits,
        };
        let end = whir.final_round_config();
        Self {
            lookup_layers,
            zerocheck_rounds: tallest.max(lookup_layers.unwrap_or(0)),
            zerocheck_degree: 1 + degree(relation),
            zerocheck_pow: profile.sumcheck_pow_bits > 0,
            openings: relation
                .tables
                .iter()
                .map(|table| (table.width(), table.next_columns().len()))
                .collect(),
            initial_ood: whir.commitment_ood_samples(),
            initial_fold: fold_of(0, whir.starting_folding_pow_bits()),
            rounds: rounds
                .iter()
                .enumerate()
                .map(|(place, round)| Round {
                    ood: round.ood_samples,
                    queries: row(
                        place,
                        round.num_queries,
                        round.log_folded_domain_size,
                        round.pow_bits,
                    ),
                    fold: fold_of(place + 1, round.folding_pow_bits),
                })
                .collect(),
            final_variables: whir.final_sumcheck_rounds(),
            final_queries: row(
                rounds.len(),
                whir.terminal().num_queries,
                end.log_folded_domain_size,
                whir.terminal().pow_bits,
            ),
            final_fold: Quadratic {
                rounds: whir.final_sumcheck_rounds(),
                pow_bits: whir.final_folding_pow_bits(),
            },
        }
    }
}
