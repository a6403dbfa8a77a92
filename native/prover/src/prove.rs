//! Proving and verifying a relation under a profile, by the library.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use p3_field::PrimeField64;
use p3_matrix::dense::RowMajorMatrix;
use p3_multi_stark::{
    MultiStarkProof, ProverInstance, ProverInstances, ProvingKey, VerifierInstance,
    VerifierInstances, VerifyingKey, prove, security_report, setup, verify,
};
use p3_sumcheck::layout::Table as Stacked;

use crate::air::TableAir;
use crate::codec;
use crate::error::{Error, Result};
use crate::profile::{Config, Profile};
use crate::relation::{F, Relation};
use crate::shape::Shape;
use crate::transcript::{Challenger, Hashed, challenger, logging_challenger};
use crate::witness::Trace;

/// The library's proof.
pub type Proof = MultiStarkProof<Config>;

/// A relation under a profile: everything that depends on neither witness nor public values.
pub struct Statement {
    relation: Relation,
    profile: Profile,
    config: Config,
    airs: Vec<TableAir>,
    shape: Shape,
    proving_key: ProvingKey<Config>,
    verifying_key: VerifyingKey<Config>,
}

impl Statement {
    /// Sets a relation up under a profile.
    ///
    /// # Errors
    /// `Error::Parameters` if there is no such protocol.
    pub fn new(relation: Relation, profile: Profile) -> Result<Self> {
        let config = profile.config(&relation)?;
        let airs: Vec<TableAir> = relation.tables.iter().cloned().map(TableAir::new).collect();
        let (proving_key, verifying_key) = guarded(|| {
            let references: Vec<&TableAir> = airs.iter().collect();
            setup(&config, &references, &mut challenger())
                .map_err(|error| Error::Parameters(format!("{error:?}")))
        })?;
        let shape = Shape::new(&relation, &profile, &config);
        Ok(Self { relation, profile, config, airs, shape, proving_key, verifying_key })
    }

    /// The relation.
    pub fn relation(&self) -> &Relation {
        &self.relation
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// log2 of the stacked cells.
    pub fn variables(&self) -> usize {
        self.config.variables
    }

    fn instances<'a>(&'a self, publics: &'a [Vec<F>]) -> VerifierInstances<'a, Config, TableAir> {
        let all = self.airs.iter().zip(&self.profile.log_rows).zip(publics);
        let made = all.map(|((air, &height), values)| {
            VerifierInstance::new(air, &self.verifying_key, height, values)
        });
        VerifierInstances::new(made.collect())
    }

    /// Proven bits of the union of all error terms, and the terms in words.
    ///
    /// # Errors
    /// `Error::Parameters` if the library cannot say.
    pub fn security(&self) -> Result<(f64, Vec<String>)> {
        let tables = self.relation.tables.iter();
        let zeros: Vec<Vec<F>> = tables.map(|table| vec![F::default(); table.publics]).collect();
        let report = security_report(&self.config, &self.instances(&zeros))
            .map_err(|error| Error::Parameters(format!("{error:?}")))?;
        let terms = report.terms().iter().map(|term| format!("{term:?}")).collect();
        let bits = report
            .security_bits()
            .ok_or_else(|| Error::Parameters("an error term has no bound".into()))?;
        Ok((bits, terms))
    }

    /// A proof that these traces satisfy the relation.
    ///
    /// # Errors
    /// `Error::Shape` if the traces do not fit, `Error::Witness` if they satisfy nothing provable.
    pub fn prove(&self, traces: Vec<Trace>, publics: &[Vec<F>]) -> Result<Proof> {
        self.check_publics(publics)?;
        let mut tables = Vec::with_capacity(traces.len());
        for (place, trace) in traces.into_iter().enumerate() {
            let rows = 1usize << self.profile.log_rows[place];
            if trace.len() != self.airs[place].table_width()
                || trace.iter().any(|c| c.len() != rows)
            {
                return Err(Error::Shape(format!(
                    "table {place}: trace is not its width × {rows}"
                )));
            }
            // One long column-major vector: the library's `Table` keeps a column a row.
            tables.push(Stacked::new(RowMajorMatrix::new(trace.concat(), rows)));
        }
        guarded(|| {
            let all = self.airs.iter().zip(tables).zip(publics);
            let made = all.map(|((air, table), values)| {
                ProverInstance::new(air, table, &self.proving_key, values)
            });
            let instances = ProverInstances::new(made.collect());
            let grinding = self.profile.sumcheck_pow_bits;
            prove(&self.config, instances, grinding, &mut challenger())
                .map_err(|error| Error::Witness(format!("{error:?}")))
        })
    }

    /// Whether a proof is one of this relation, profile and public values.
    ///
    /// # Errors
    /// `Error::Rejected` with the library's reason.
    pub fn verify(&self, proof: &Proof, publics: &[Vec<F>]) -> Result<()> {
        self.verify_with(proof, publics, &mut challenger())
    }

    /// What the verifier's transcript hashes for a proof, in order.
    ///
    /// # Errors
    /// As `verify`.
    pub fn transcript(&self, proof: &Proof, publics: &[Vec<F>]) -> Result<Vec<Hashed>> {
        let (mut transcript, log) = logging_challenger();
        self.verify_with(proof, publics, &mut transcript)?;
        let hashes = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(hashes)
    }

    fn verify_with(
        &self,
        proof: &Proof,
        publics: &[Vec<F>],
        transcript: &mut Challenger,
    ) -> Result<()> {
        self.check_publics(publics)?;
        let grinding = self.profile.sumcheck_pow_bits;
        guarded(|| {
            verify(&self.config, self.instances(publics), proof, grinding, transcript)
                .map_err(|error| Error::Rejected(format!("{error:?}")))
        })
    }

    /// The derived schedule of the opening, as a key file has it: (answers, fold proof-of-work) at
    /// the start; of each round and of the end [answers, proof-of-work, queries, log2 leaves, log2
    /// of 1 / rate, fold proof-of-work]; log2 of the final polynomial's length.
    #[allow(clippy::type_complexity)] // plain numbers for a key file
    pub fn schedule(&self) -> ((usize, usize), Vec<[usize; 6]>, [usize; 6], usize) {
        let whir = self.config.whir();
        let round = |r: &p3_whir::RoundConfig| {
            [
                r.ood_samples,
                r.pow_bits,
                r.num_queries,
                r.log_folded_domain_size,
                r.log_inv_rate,
                r.folding_pow_bits,
            ]
        };
        let rounds = whir.round_parameters().iter().map(round).collect();
        let (end, terminal) = (whir.final_round_config(), whir.terminal());
        let last = [
            0,
            terminal.pow_bits,
            terminal.num_queries,
            end.log_folded_domain_size,
            end.log_inv_rate,
            whir.final_folding_pow_bits(),
        ];
        let start = (whir.commitment_ood_samples(), whir.starting_folding_pow_bits());
        (start, rounds, last, whir.final_sumcheck_rounds())
    }

    /// The shape of proofs.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bytes of a proof.
    ///
    /// # Errors
    /// `Error::Decode` if the proof has not the shape that the profile fixes.
    pub fn encode(&self, proof: &Proof) -> Result<Vec<u8>> {
        let library =
            postcard::to_allocvec(proof).map_err(|error| Error::Decode(error.to_string()))?;
        codec::encode(&self.shape, &library)
    }

    /// The proof of exactly these bytes.
    ///
    /// # Errors
    /// `Error::Decode` naming what is wrong.
    pub fn decode(&self, bytes: &[u8]) -> Result<Proof> {
        let library = codec::decode(&self.shape, bytes)?;
        postcard::from_bytes(&library).map_err(|error| Error::Decode(error.to_string()))
    }

    fn check_publics(&self, publics: &[Vec<F>]) -> Result<()> {
        let tables = &self.relation.tables;
        let fits = publics.len() == tables.len()
            && publics.iter().zip(tables).all(|(given, table)| given.len() == table.publics);
        if fits {
            return Ok(());
        }
        let given: Vec<usize> = publics.iter().map(Vec::len).collect();
        let expected: Vec<usize> = tables.iter().map(|table| table.publics).collect();
        Err(Error::Shape(format!("public values {given:?}, expected {expected:?}")))
    }
}

/// Runs the library; a panic of it is an error, not the end of the process.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "unknown".into());
        Err(Error::Witness(format!("the library stopped: {message}")))
    })
}

/// Elements of canonical words.
///
/// # Errors
/// `Error::Shape` for a word from p.
pub fn elements(words: &[u64]) -> Result<Vec<F>> {
    match words.iter().find(|&&word| word >= F::ORDER_U64) {
        None => Ok(words.iter().map(|&word| F::new(word)).collect()),
        Some(word) => Err(Error::Shape(format!("element = {word}, below {}", F::ORDER_U64))),
    }
}
