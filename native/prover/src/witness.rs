//! Runs the witness program: from primary columns to whole traces, rows in blocks on all cores.
//!
//! Defined by `novate.circuit.witness`, which computes the same a node at a time.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::relation::{F, Node, Origin, Relation, Table};

/// Rows that one task computes together: scratch of nodes × rows stays in the cache.
const BLOCK: usize = 64;

/// A trace: by column, then row.
pub type Trace = Vec<Vec<F>>;

/// The traces of all tables. `primary` holds the primary columns of each table, in order, of its
/// whole height; multiplicities are counted at the end.
///
/// # Errors
/// `Error::Shape` if a table's primary columns are not its number, or not of its height.
pub fn fill(
    relation: &Relation,
    log_rows: &[usize],
    primary: Vec<Trace>,
    publics: &[Vec<F>],
) -> Result<Vec<Trace>> {
    if primary.len() != relation.tables.len() || publics.len() != primary.len() {
        let detail = format!("{} tables given, {} expected", primary.len(), relation.tables.len());
        return Err(Error::Shape(detail));
    }
    let mut traces = Vec::with_capacity(primary.len());
    for (place, (table, given)) in relation.tables.iter().zip(primary).enumerate() {
        let rows = 1 << log_rows[place];
        check_primary(place, table, &given, rows)?;
        traces.push(fill_table(table, given, rows, &publics[place]));
    }
    count_lookups(relation, &mut traces, publics);
    Ok(traces)
}

fn check_primary(place: usize, table: &Table, given: &Trace, rows: usize) -> Result<()> {
    let expected = table.columns.iter().filter(|o| **o == Origin::Primary).count();
    if given.len() != expected {
        let detail = format!("table {place}: {} primary columns, {expected}", given.len());
        return Err(Error::Shape(detail));
    }
    match given.iter().find(|column| column.len() != rows) {
        None => Ok(()),
        Some(column) => {
            Err(Error::Shape(format!("table {place}: {} rows, {rows} expected", column.len())))
        }
    }
}

fn fill_table(table: &Table, given: Trace, rows: usize, publics: &[F]) -> Trace {
    let mut trace: Trace = vec![Vec::new(); table.width()];
    let mut given = given.into_iter();
    for (column, origin) in table.columns.iter().enumerate() {
        match origin {
            Origin::Primary => trace[column] = given.next().expect("counted before"),
            Origin::Multiplicity => trace[column] = F::zero_vec(rows),
            _ => {}
        }
    }
    for stage in stages(table) {
        match stage {
            Stage::Scan(column) => scan(table, &mut trace, column, rows, publics),
            Stage::Rows(columns) => by_rows(table, &mut trace, &columns, rows, publics),
        }
    }
    trace
}

enum Stage {
    /// One column that follows from the row above.
    Scan(usize),
    /// Columns whose rows can be computed apart.
    Rows(Vec<usize>),
}

/// Columns in order, grouped: a group never reads the row below of a column of its own.
fn stages(table: &Table) -> Vec<Stage> {
    let below = reads_below(table);
    let mut stages = Vec::new();
    let mut group: Vec<usize> = Vec::new();
    for &column in &table.order {
        let column = column as usize;
        match table.columns[column] {
            Origin::Primary | Origin::Multiplicity => continue,
            Origin::Scan { .. } => {
                stages.push(Stage::Rows(std::mem::take(&mut group)));
                stages.push(Stage::Scan(column));
            }
            _ => {
                if below[column].iter().any(|other| group.contains(other)) {
                    stages.push(Stage::Rows(std::mem::take(&mut group)));
                }
                group.push(column);
            }
        }
    }
    stages.push(Stage::Rows(group));
    stages
}

/// For each column, the columns that its operands read in the row below.
fn reads_below(table: &Table) -> Vec<Vec<usize>> {
    let mut by_node: Vec<Vec<usize>> = Vec::with_capacity(table.nodes.len());
    for node in &table.nodes {
        let found = match *node {
            Node::Next(column) => vec![column as usize],
            Node::Add(a, b) | Node::Subtract(a, b) | Node::Multiply(a, b) => {
                let mut both = by_node[a as usize].clone();
                both.extend(&by_node[b as usize]);
                both.sort_unstable();
                both.dedup();
                both
            }
            _ => Vec::new(),
        };
        by_node.push(found);
    }
    let read = |origin: &Origin| operands(origin).flat_map(|n| by_node[n].clone()).collect();
    table.columns.iter().map(read).collect()
}

fn operands(origin: &Origin) -> impl Iterator<Item = usize> {
    let (a, b) = match *origin {
        Origin::Primary | Origin::Multiplicity => (None, None),
        Origin::Expression(node) | Origin::Limb { node, .. } | Origin::Inverse(node) => {
            (Some(node), None)
        }
        Origin::Quotient(a, b) | Origin::Remainder(a, b) => (Some(a), Some(b)),
        Origin::Scan { first, step } => (Some(first), Some(step)),
    };
    a.into_iter().chain(b).map(|node| node as usize)
}

/// Values of nodes in a block of rows, each computed once.
struct Block<'a> {
    table: &'a Table,
    trace: &'a [Vec<F>],
    /// Columns of this block that the trace does not hold yet.
    fresh: Vec<Option<Box<[F; BLOCK]>>>,
    publics: &'a [F],
    start: usize,
    rows: usize,
    known: Vec<bool>,
    values: Vec<[F; BLOCK]>,
}

impl<'a> Block<'a> {
    fn new(table: &'a Table, trace: &'a [Vec<F>], publics: &'a [F], start: usize) -> Self {
        let rows = trace.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            table,
            trace,
            fresh: vec![None; table.width()],
            publics,
            start,
            rows,
            known: vec![false; table.nodes.len()],
            values: vec![[F::ZERO; BLOCK]; table.nodes.len()],
        }
    }

    /// Computes a node and what it depends on. Recursion is replaced by a stack: chains are long.
    fn compute(&mut self, place: usize) {
        let mut waiting = vec![place];
        while let Some(&top) = waiting.last() {
            let node = self.table.nodes[top];
            if self.known[top] {
                waiting.pop();
                continue;
            }
            if let Node::Add(a, b) | Node::Subtract(a, b) | Node::Multiply(a, b) = node {
                let before = waiting.len();
                waiting.extend(
                    [a as usize, b as usize].into_iter().filter(|&operand| !self.known[operand]),
                );
                if waiting.len() > before {
                    continue;
                }
            }
            self.values[top] = self.evaluate(node);
            self.known[top] = true;
            waiting.pop();
        }
    }

    fn evaluate(&self, node: Node) -> [F; BLOCK] {
        let value = |place: u32| &self.values[place as usize];
        let pair = |a: u32, b: u32, join: fn(F, F) -> F| {
            let (a, b) = (value(a), value(b));
            std::array::from_fn(|row| join(a[row], b[row]))
        };
        let row_flag = |hit: &dyn Fn(usize) -> bool| {
            std::array::from_fn(|row| F::from_bool(hit(self.start + row)))
        };
        match node {
            Node::Column(column) => self.column(column as usize),
            Node::Next(column) => {
                let column = &self.trace[column as usize];
                std::array::from_fn(|row| {
                    column[(self.start + row + 1).min(self.rows.saturating_sub(1))]
                })
            }
            Node::Public(place) => [self.publics[place as usize]; BLOCK],
            Node::Constant(word) => [F::from_u64(word); BLOCK],
            Node::First => row_flag(&|row| row == 0),
            Node::Last => row_flag(&|row| row + 1 == self.rows),
            Node::Transition => row_flag(&|row| row + 1 < self.rows),
            Node::Add(a, b) => pair(a, b, |x, y| x + y),
            Node::Subtract(a, b) => pair(a, b, |x, y| x - y),
            Node::Multiply(a, b) => pair(a, b, |x, y| x * y),
        }
    }

    fn column(&self, column: usize) -> [F; BLOCK] {
        if let Some(fresh) = &self.fresh[column] {
            return **fresh;
        }
        let held = &self.trace[column];
        std::array::from_fn(|row| held[(self.start + row).min(held.len() - 1)])
    }

    fn derive(&mut self, column: usize) {
        let origin = self.table.columns[column];
        for place in operands(&origin) {
            self.compute(place);
        }
        let at = |node: u32, row: usize| self.values[node as usize][row];
        let made = std::array::from_fn(|row| match origin {
            Origin::Expression(node) => at(node, row),
            Origin::Limb { node, shift, bits } => {
                F::from_u64(at(node, row).as_canonical_u64() >> shift & ((1 << bits) - 1))
            }
            Origin::Inverse(node) => at(node, row).try_inverse().unwrap_or(F::ZERO),
            Origin::Quotient(a, b) => divide(at(a, row), at(b, row)).0,
            Origin::Remainder(a, b) => divide(at(a, row), at(b, row)).1,
            _ => unreachable!("given columns and scans are not derived by rows"),
        });
        self.fresh[column] = Some(Box::new(made));
    }
}

/// Quotient and remainder of canonical values; 0 and the dividend for a divisor of 0.
fn divide(dividend: F, divisor: F) -> (F, F) {
    let (a, b) = (dividend.as_canonical_u64(), divisor.as_canonical_u64());
    match a.checked_div(b) {
        None => (F::ZERO, dividend),
        Some(quotient) => (F::from_u64(quotient), F::from_u64(a % b)),
    }
}

fn by_rows(table: &Table, trace: &mut Trace, columns: &[usize], rows: usize, publics: &[F]) {
    if columns.is_empty() {
        return;
    }
    if trace.iter().all(Vec::is_empty) {
        // A table of constants alone: nothing says its height but `rows`.
        trace[columns[0]] = F::zero_vec(rows);
    }
    let blocks: Vec<Vec<[F; BLOCK]>> = (0..rows.div_ceil(BLOCK))
        .into_par_iter()
        .map(|place| {
            let mut block = Block::new(table, trace, publics, place * BLOCK);
            for &column in columns {
                block.derive(column);
            }
            columns.iter().map(|&c| *block.fresh[c].take().expect("derived above")).collect()
        })
        .collect();
    for (place, &column) in columns.iter().enumerate() {
        let mut values: Vec<F> = blocks.iter().flat_map(|block| block[place]).collect();
        values.truncate(rows);
        trace[column] = values;
    }
}

fn scan(table: &Table, trace: &mut Trace, column: usize, rows: usize, publics: &[F]) {
    let Origin::Scan { first, step } = table.columns[column] else {
        unreachable!("the stage says it is a scan");
    };
    let program = program(table, step as usize);
    let mut scratch = F::zero_vec(table.nodes.len());
    let start = {
        let program = self::program(table, first as usize);
        run_row(table, trace, &program, &mut scratch, 0, rows, publics, (column, F::ZERO));
        scratch[first as usize]
    };
    let mut values = Vec::with_capacity(rows);
    values.push(start);
    for row in 1..rows {
        let last = (column, values[row - 1]);
        run_row(table, trace, &program, &mut scratch, row - 1, rows, publics, last);
        values.push(scratch[step as usize]);
    }
    trace[column] = values;
}

/// The nodes that one node depends on, itself included, in order.
fn program(table: &Table, place: usize) -> Vec<usize> {
    let mut needed = vec![false; place + 1];
    needed[place] = true;
    for at in (0..=place).rev().filter(|&at| needed[at]).collect::<Vec<_>>() {
        mark(table, at, &mut needed);
    }
    (0..=place).filter(|&at| needed[at]).collect()
}

fn mark(table: &Table, place: usize, needed: &mut [bool]) {
    let mut waiting = vec![place];
    while let Some(at) = waiting.pop() {
        needed[at] = true;
        if let Node::Add(a, b) | Node::Subtract(a, b) | Node::Multiply(a, b) = table.nodes[at] {
            waiting.extend([a as usize, b as usize].into_iter().filter(|&x| !needed[x]));
        }
    }
}

/// Evaluates nodes in one row; the scanned column itself has the value given.
#[allow(clippy::too_many_arguments)] // a row of a scan is all of these
fn run_row(
    table: &Table,
    trace: &Trace,
    program: &[usize],
    scratch: &mut [F],
    row: usize,
    rows: usize,
    publics: &[F],
    scanned: (usize, F),
) {
    for &place in program {
        scratch[place] = match table.nodes[place] {
            Node::Column(column) if column as usize == scanned.0 => scanned.1,
            Node::Column(column) => trace[column as usize][row],
            Node::Next(column) => trace[column as usize][(row + 1).min(rows - 1)],
            Node::Public(at) => publics[at as usize],
            Node::Constant(word) => F::from_u64(word),
            Node::First => F::from_bool(row == 0),
            Node::Last => F::from_bool(row + 1 == rows),
            Node::Transition => F::from_bool(row + 1 < rows),
            Node::Add(a, b) => scratch[a as usize] + scratch[b as usize],
            Node::Subtract(a, b) => scratch[a as usize] - scratch[b as usize],
            Node::Multiply(a, b) => scratch[a as usize] * scratch[b as usize],
        };
    }
}

type Message = (u32, Vec<F>);

/// Fills every multiplicity column: how often the message its row receives is sent.
fn count_lookups(relation: &Relation, traces: &mut [Trace], publics: &[Vec<F>]) {
    let counted = counted_buses(relation);
    let mut sent: FxHashMap<Message, u64> = FxHashMap::default();
    for ((table, trace), publics) in relation.tables.iter().zip(traces.iter()).zip(publics) {
        let wanted: Vec<usize> = (0..table.interactions.len())
            .filter(|&i| table.interactions[i].weight > 0)
            .filter(|&i| counted.contains(&table.interactions[i].bus))
            .collect();
        for (message, times) in messages(table, trace, publics, &wanted) {
            *sent.entry(message).or_default() += times;
        }
    }
    for ((table, trace), publics) in relation.tables.iter().zip(traces.iter_mut()).zip(publics) {
        for (column, place) in receivers(table) {
            let rows = trace[column].len();
            trace[column] = vec![F::ONE; rows];
            let received = fields_of(table, trace, publics, place);
            let bus = table.interactions[place].bus;
            trace[column] = received
                .into_iter()
                .map(|fields| F::from_u64(sent.remove(&(bus, fields)).unwrap_or(0)))
                .collect();
        }
    }
}

/// Buses that some table receives with a multiplicity.
fn counted_buses(relation: &Relation) -> Vec<u32> {
    let of = |table: &Table| {
        receivers(table).into_iter().map(|(_, place)| table.interactions[place].bus).collect()
    };
    relation.tables.iter().flat_map(|table| -> Vec<u32> { of(table) }).collect()
}

/// (multiplicity column, interaction whose count reads it) of a table.
fn receivers(table: &Table) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (column, origin) in table.columns.iter().enumerate() {
        if *origin != Origin::Multiplicity {
            continue;
        }
        for (place, interaction) in table.interactions.iter().enumerate() {
            let nodes = program(table, interaction.times as usize);
            let reads = nodes.iter().any(|&n| table.nodes[n] == Node::Column(column as u32));
            if interaction.weight == 0 && reads {
                found.push((column, place));
            }
        }
    }
    found
}

/// The fields of one interaction in every row.
fn fields_of(table: &Table, trace: &Trace, publics: &[F], place: usize) -> Vec<Vec<F>> {
    let fields = &table.interactions[place].fields;
    let rows = trace[0].len();
    (0..rows.div_ceil(BLOCK))
        .into_par_iter()
        .flat_map_iter(|at| {
            let mut block = Block::new(table, trace, publics, at * BLOCK);
            fields.iter().for_each(|&field| block.compute(field as usize));
            let count = BLOCK.min(rows - at * BLOCK);
            let row_fields = |row: usize| {
                fields.iter().map(|&f| block.values[f as usize][row]).collect::<Vec<F>>()
            };
            (0..count).map(row_fields).collect::<Vec<_>>()
        })
        .collect()
}

/// The messages that chosen interactions send, with their counts.
fn messages(
    table: &Table,
    trace: &Trace,
    publics: &[F],
    wanted: &[usize],
) -> FxHashMap<Message, u64> {
    let rows = trace[0].len();
    let merge = |mut all: FxHashMap<Message, u64>, some: FxHashMap<Message, u64>| {
        for (message, times) in some {
            *all.entry(message).or_default() += times;
        }
        all
    };
    (0..rows.div_ceil(BLOCK))
        .into_par_iter()
        .fold(FxHashMap::default, |mut found: FxHashMap<Message, u64>, at| {
            let mut block = Block::new(table, trace, publics, at * BLOCK);
            for &place in wanted {
                let interaction = &table.interactions[place];
                block.compute(interaction.times as usize);
                interaction.fields.iter().for_each(|&field| block.compute(field as usize));
                for row in 0..BLOCK.min(rows - at * BLOCK) {
                    let times = block.values[interaction.times as usize][row].as_canonical_u64();
                    if times > 0 {
                        let fields = &interaction.fields;
                        let read = fields.iter().map(|&f| block.values[f as usize][row]).collect();
                        *found.entry((interaction.bus, read)).or_default() += times;
                    }
                }
            }
            found
        })
        .reduce(FxHashMap::default, merge)
}
