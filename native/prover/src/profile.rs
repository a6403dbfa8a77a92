//! What a statement is proved under: heights of its tables and parameters of the protocol.

use p3_dft::Radix2DFTSmallBatch;
use p3_field::extension::CubicTrinomialExtensionField;
use p3_keccak::Keccak256Hash;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_multi_stark::config::MultiStarkConfig;
use p3_sumcheck::layout::{Layout, PrefixProver, Table, TableShape, Witness, plan_stacked_layout};
use p3_symmetric::{CompressionFunctionFromHasher, SerializingHasher};
use p3_whir::{
    FoldingFactor, ProtocolParameters, SecurityAssumption, WhirConfig, WhirProver, WhirProverData,
};

use crate::error::{Error, Result};
use crate::relation::{F, Relation};
use crate::transcript::Challenger;

/// The cubic extension that challenges are drawn from.
pub type Challenge = CubicTrinomialExtensionField<F>;
type Node = CompressionFunctionFromHasher<Keccak256Hash, 2, 32>;
/// Merkle trees of true Keccak-256: leaf = keccak(row), node = keccak(left ‖ right).
pub type Mmcs = MerkleTreeMmcs<F, u8, SerializingHasher<Keccak256Hash>, Node, 2, 32>;
type Stack = PrefixProver<F, Challenge>;
/// Derived parameters of WHIR.
pub type Whir = WhirConfig<Challenge, F, Challenger>;
type Pcs = WhirProver<Challenge, F, Radix2DFTSmallBatch<F>, Mmcs, Challenger, Stack>;

/// Tallest table that is accepted, log2 of rows.
pub const LOG_ROWS_MAX: usize = 24;

/// Heights and parameters. One profile, one verifying key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// log2 of the rows of each table.
    pub log_rows: Vec<usize>,
    /// Bits asked of every error term; the union over all terms is a little less.
    pub security_level: usize,
    /// Most bits of proof-of-work before queries.
    pub pow_bits: usize,
    /// Bits of proof-of-work before every challenge of the zerocheck.
    pub sumcheck_pow_bits: usize,
    /// log2 of 1 / rate of the first code.
    pub starting_log_inv_rate: usize,
    /// Variables folded in each round.
    pub folds: Vec<usize>,
    /// log2 of 1 / rate of each later code; empty: folds − 1 more each round.
    pub rates: Vec<usize>,
}

/// The library's configuration for one profile of one relation.
pub struct Config {
    pcs: Pcs,
    whir: Whir,
    first_fold: usize,
    /// log2 of the stacked cells.
    pub variables: usize,
}

impl MultiStarkConfig for Config {
    type Val = F;
    type Challenge = Challenge;
    type Challenger = Challenger;
    type Pcs = Pcs;

    fn pcs(&self) -> &Pcs {
        &self.pcs
    }

    fn collision_resistance_bits(&self) -> Option<usize> {
        Some(128)
    }

    fn min_num_variables(&self) -> usize {
        self.first_fold
    }

    fn build_witness(&self, tables: Vec<Table<F>>) -> Witness<F> {
        Stack::new_witness(tables, self.first_fold)
    }

    fn committed_table<'a>(
        &self,
        data: &'a WhirProverData<F, Challenge, Mmcs, Stack>,
        place: usize,
    ) -> &'a Table<F> {
        data.table(place)
    }
}

impl Config {
    /// The derived parameters of WHIR.
    pub fn whir(&self) -> &Whir {
        &self.whir
    }
}

impl Profile {
    /// The configuration.
    ///
    /// # Errors
    /// `Error::Parameters` if heights or parameters give no protocol.
    pub fn config(&self, relation: &Relation) -> Result<Config> {
        if self.log_rows.len() != relation.tables.len() {
            let (given, tables) = (self.log_rows.len(), relation.tables.len());
            return Err(Error::Parameters(format!("{given} heights for {tables} tables")));
        }
        let first_fold = *self
            .folds
            .first()
            .ok_or_else(|| Error::Parameters("folds is empty, at least one expected".into()))?;
        let least = first_fold.max(1);
        if let Some(height) = self.log_rows.iter().find(|h| !(least..=LOG_ROWS_MAX).contains(h)) {
            let limits = format!("{least} to {LOG_ROWS_MAX}");
            return Err(Error::Parameters(format!("log_rows = {height}, {limits}")));
        }
        let shapes: Vec<TableShape> = self
            .log_rows
            .iter()
            .zip(&relation.tables)
            .map(|(&height, table)| TableShape::new(height, table.width()))
            .collect();
        let (variables, _) = plan_stacked_layout(&shapes);
        let whir = WhirConfig::new(variables, self.parameters())
            .map_err(|error| Error::Parameters(error.to_string()))?;
        let mmcs = Mmcs::new(
            SerializingHasher::new(Keccak256Hash),
            CompressionFunctionFromHasher::new(Keccak256Hash),
            0,
        );
        let pcs = Pcs::new(whir.clone(), Radix2DFTSmallBatch::default(), mmcs);
        Ok(Config { pcs, whir, first_fold, variables })
    }

    fn parameters(&self) -> ProtocolParameters {
        ProtocolParameters {
            security_level: self.security_level,
            pow_bits: self.pow_bits,
            round_log_inv_rates: self.rates.clone(),
            folding_factor: FoldingFactor::PerRound(self.folds.clone()),
            soundness_type: SecurityAssumption::JohnsonBound,
            starting_log_inv_rate: self.starting_log_inv_rate,
        }
    }
}
