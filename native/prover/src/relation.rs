//! Tables as data: what `novate.circuit.relation` writes as words.

use p3_goldilocks::Goldilocks;

use crate::error::{Error, Result};

/// The field of all tables.
pub type F = Goldilocks;

/// The prime of the field.
pub const P: u64 = 0xFFFF_FFFF_0000_0001;

const WORDS_VERSION: u64 = 1;
/// Bound of every count in the words, so that a wrong one is refused before memory is taken.
const COUNT_MAX: u64 = 1 << 20;

/// An operation; operands are earlier nodes, or a column, public value or constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// The column in this row.
    Column(u32),
    /// The column in the row below; in the last row, the column itself.
    Next(u32),
    /// A public value.
    Public(u32),
    /// A canonical element.
    Constant(u64),
    /// 1 in the first row.
    First,
    /// 1 in the last row.
    Last,
    /// 1 in every row but the last.
    Transition,
    /// The sum of two nodes.
    Add(u32, u32),
    /// Their difference.
    Subtract(u32, u32),
    /// Their product.
    Multiply(u32, u32),
}

/// How a column's values come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given.
    Primary,
    /// The value of a node.
    Expression(u32),
    /// Bits `shift` to `shift + bits` of a node's canonical value.
    Limb {
        /// The node.
        node: u32,
        /// Lowest bit.
        shift: u32,
        /// Number of bits, at most 63.
        bits: u32,
    },
    /// Quotient of two nodes' canonical values; 0 if the divisor is 0.
    Quotient(u32, u32),
    /// What the division leaves; the dividend if the divisor is 0.
    Remainder(u32, u32),
    /// Multiplicative inverse; 0 of 0.
    Inverse(u32),
    /// A node in the first row; in any other a node read in the row above.
    Scan {
        /// In the first row.
        first: u32,
        /// Read in the row above.
        step: u32,
    },
    /// How often the message that the row receives is sent.
    Multiplicity,
}

/// What each row of a table adds to a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Number of the bus.
    pub bus: u32,
    /// Nodes of the message.
    pub fields: Vec<u32>,
    /// Node of the signed count.
    pub times: u32,
    /// Bound of a sender's count; 0 for a receiver.
    pub weight: u32,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// How each column is computed.
    pub columns: Vec<Origin>,
    /// Columns in an order in which they can be computed.
    pub order: Vec<u32>,
    /// Operations, operands before results.
    pub nodes: Vec<Node>,
    /// Nodes that are zero in every row.
    pub rules: Vec<u32>,
    /// Messages.
    pub interactions: Vec<Interaction>,
    /// Number of public values.
    pub publics: usize,
}

impl Table {
    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Columns that some node reads in the row below, sorted.
    pub fn next_columns(&self) -> Vec<usize> {
        let next = |node: &Node| match node {
            Node::Next(column) => Some(*column as usize),
            _ => None,
        };
        let mut found: Vec<usize> = self.nodes.iter().filter_map(next).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Tables that are proved together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// In the order of the statement.
    pub tables: Vec<Table>,
}

struct Reader<'a> {
    words: &'a [u64],
    at: usize,
}

impl Reader<'_> {
    fn word(&mut self) -> Result<u64> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word.ok_or_else(|| Error::Relation(format!("{} words, more expected", self.words.len())))
    }

    /// A word below `limit`.
    fn below(&mut self, what: &str, limit: u64) -> Result<u32> {
        let word = self.word()?;
        if word < limit {
            return Ok(word as u32);
        }
        Err(Error::Relation(format!("{what} = {word} at word {}, below {limit}", self.at - 1)))
    }

    fn count(&mut self, what: &str) -> Result<usize> {
        Ok(self.below(what, COUNT_MAX)? as usize)
    }
}

impl Relation {
    /// The relation of exactly these words.
    ///
    /// # Errors
    /// `Error::Relation` naming the field, its value and limit.
    pub fn from_words(words: &[u64]) -> Result<Self> {
        let mut reader = Reader { words, at: 0 };
        let version = reader.word()?;
        if version != WORDS_VERSION {
            return Err(Error::Relation(format!("version = {version}, must be {WORDS_VERSION}")));
        }
        let count = reader.count("tables")?;
        let tables = (0..count).map(|_| table(&mut reader)).collect::<Result<Vec<_>>>()?;
        if reader.at != words.len() {
            return Err(Error::Relation(format!("{} words, {} read", words.len(), reader.at)));
        }
        Ok(Self { tables })
    }

    /// Columns of all tables together.
    pub fn columns(&self) -> usize {
        self.tables.iter().map(Table::width).sum()
    }
}

fn table(reader: &mut Reader<'_>) -> Result<Table> {
    let width = reader.count("columns")?;
    let nodes = reader.count("nodes")?;
    let rules = reader.count("rules")?;
    let interactions = reader.count("interactions")?;
    let publics = reader.count("publics")?;
    let limit = nodes as u64;
    let columns = (0..width).map(|_| origin(reader, limit)).collect::<Result<_>>()?;
    let order: Vec<u32> =
        (0..width).map(|_| reader.below("order", width as u64)).collect::<Result<_>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..width as u32) {
        return Err(Error::Relation(format!("order is no permutation of {width} columns")));
    }
    let nodes = (0..nodes)
        .map(|place| node(reader, width as u64, publics as u64, place as u64))
        .collect::<Result<_>>()?;
    let rules = (0..rules).map(|_| reader.below("rule", limit)).collect::<Result<_>>()?;
    let interactions =
        (0..interactions).map(|_| interaction(reader, limit)).collect::<Result<_>>()?;
    Ok(Table { columns, order, nodes, rules, interactions, publics })
}

fn origin(reader: &mut Reader<'_>, nodes: u64) -> Result<Origin> {
    let kind = reader.below("origin", 8)?;
    let shift = reader.below("shift", 64)?;
    let bits = reader.below("bits", 64)?;
    let count = reader.below("operands", 3)?;
    let operands =
        (0..count).map(|_| reader.below("operand", nodes)).collect::<Result<Vec<_>>>()?;
    match (kind, operands[..].to_vec().as_slice()) {
        (0, []) => Ok(Origin::Primary),
        (1, [node]) => Ok(Origin::Expression(*node)),
        (2, [node]) => Ok(Origin::Limb { node: *node, shift, bits }),
        (3, [dividend, divisor]) => Ok(Origin::Quotient(*dividend, *divisor)),
        (4, [dividend, divisor]) => Ok(Origin::Remainder(*dividend, *divisor)),
        (5, [node]) => Ok(Origin::Inverse(*node)),
        (6, [first, step]) => Ok(Origin::Scan { first: *first, step: *step }),
        (7, []) => Ok(Origin::Multiplicity),
        _ => Err(Error::Relation(format!("origin {kind} with {count} operands"))),
    }
}

fn node(reader: &mut Reader<'_>, columns: u64, publics: u64, place: u64) -> Result<Node> {
    let operator = reader.below("operator", 10)?;
    let (left, right) = match operator {
        0 | 1 => (u64::from(reader.below("column", columns)?), reader.word()?),
        2 => (u64::from(reader.below("public", publics)?), reader.word()?),
        3 => (reader.word()?, reader.word()?),
        4..=6 => (reader.word()?, reader.word()?),
        _ => {
            let left = reader.below("left", place)?;
            (u64::from(left), u64::from(reader.below("right", place)?))
        }
    };
    let (a, b) = (left as u32, right as u32);
    if operator == 3 && left >= P {
        return Err(Error::Relation(format!("constant = {left}, below {P}")));
    }
    if (operator < 7 && right != 0) || ((4..7).contains(&operator) && left != 0) {
        return Err(Error::Relation(format!("operator {operator} has an operand too many")));
    }
    Ok(match operator {
        0 => Node::Column(a),
        1 => Node::Next(a),
        2 => Node::Public(a),
        3 => Node::Constant(left),
        4 => Node::First,
        5 => Node::Last,
        6 => Node::Transition,
        7 => Node::Add(a, b),
        8 => Node::Subtract(a, b),
        _ => Node::Multiply(a, b),
    })
}

fn interaction(reader: &mut Reader<'_>, nodes: u64) -> Result<Interaction> {
    let bus = reader.below("bus", COUNT_MAX)?;
    let times = reader.below("times", nodes)?;
    let weight = reader.below("weight", 1 << 32)?;
    let count = reader.count("fields")?;
    let fields = (0..count).map(|_| reader.below("field", nodes)).collect::<Result<_>>()?;
    Ok(Interaction { bus, fields, times, weight })
}
