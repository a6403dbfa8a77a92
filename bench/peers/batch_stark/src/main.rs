//! Proves the tables of a folder by p3-batch-stark over FRI: the same AIRs, the same traces, the
//! same field, extension and hash as `novate-prover`. Prints seconds and bytes as JSON.
//!
//!     batch-stark-peer FOLDER LOG_BLOWUP
//!
//! Files of little-endian words: `words` (the relation), `publics` (all tables' in order), and of
//! table k `trace_k` (columns, then rows); heights follow from their lengths.

use std::path::Path;
use std::time::Instant;

use novate_prover::air::TableAir;
use novate_prover::prove::elements;
use novate_prover::relation::{F, Relation};
use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_challenger::{HashChallenger, SerializingChallenger64};
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::CubicTrinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_keccak::Keccak256Hash;
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{CompressionFunctionFromHasher, SerializingHasher};
use p3_uni_stark::StarkConfig;

type Challenge = CubicTrinomialExtensionField<F>;
type Node = CompressionFunctionFromHasher<Keccak256Hash, 2, 32>;
type Mmcs = MerkleTreeMmcs<F, u8, SerializingHasher<Keccak256Hash>, Node, 2, 32>;
type ExtensionTree = ExtensionMmcs<F, Challenge, Mmcs>;
type Challenger = SerializingChallenger64<F, HashChallenger<u8, Keccak256Hash, 32>>;
type Pcs = TwoAdicFriPcs<F, Radix2DitParallel<F>, Mmcs, ExtensionTree>;
type Config = StarkConfig<Pcs, Challenge, Challenger>;

/// Bits asked of the queries with their proof-of-work, as a profile of `novate` asks of a term.
const SECURITY_LEVEL: usize = 103;
const QUERY_POW_BITS: usize = 22;

/// Half the bits of the rate a query: the Johnson bound, as for the profiles.
fn config(log_blowup: usize) -> Config {
    let mmcs = Mmcs::new(
        SerializingHasher::new(Keccak256Hash),
        CompressionFunctionFromHasher::new(Keccak256Hash),
        0,
    );
    let parameters = FriParameters {
        log_blowup,
        log_final_poly_len: 0,
        max_log_arity: 3,
        num_queries: (2 * (SECURITY_LEVEL - QUERY_POW_BITS)).div_ceil(log_blowup),
        batch_proof_of_work_bits: 0,
        commit_proof_of_work_bits: 0,
        query_proof_of_work_bits: QUERY_POW_BITS,
        mmcs: ExtensionTree::new(mmcs.clone()),
    };
    let pcs = Pcs::new(Radix2DitParallel::default(), mmcs, parameters);
    StarkConfig::new(pcs, Challenger::from_hasher(Vec::new(), Keccak256Hash))
}

fn words(path: &Path) -> Vec<u64> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, log_blowup] = arguments.as_slice() else {
        panic!("usage: batch-stark-peer FOLDER LOG_BLOWUP");
    };
    let folder = Path::new(folder);
    let log_blowup = log_blowup.parse().expect("a number");
    let relation = Relation::from_words(&words(&folder.join("words"))).expect("a relation");
    let airs: Vec<TableAir> = relation.tables.iter().cloned().map(TableAir::new).collect();
    let mut publics = elements(&words(&folder.join("publics"))).expect("elements").into_iter();
    let traces: Vec<RowMajorMatrix<F>> = (0..airs.len())
        .map(|place| {
            let columns = elements(&words(&folder.join(format!("trace_{place}"))));
            let columns = columns.expect("elements");
            let rows = columns.len() / relation.tables[place].width();
            RowMajorMatrix::new(columns, rows).transpose()
        })
        .collect();
    let public_values: Vec<Vec<F>> = relation
        .tables
        .iter()
        .map(|table| publics.by_ref().take(table.publics).collect())
        .collect();
    let references: Vec<&RowMajorMatrix<F>> = traces.iter().collect();
    let config = config(log_blowup);
    let instances = StarkInstance::new_multiple(&airs, &references, &public_values);
    let data = ProverData::from_instances(&config, &instances).expect("setup");
    let started = Instant::now();
    let proof = prove_batch(&config, &instances, &data).expect("a proof");
    let seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    verify_batch(&config, &airs, &proof, &public_values, &data.common).expect("accepted");
    let verify_seconds = started.elapsed().as_secs_f64();
    let bytes = postcard::to_allocvec(&proof).expect("bytes").len();
    println!(
        "{{\"prove_s\": {seconds}, \"verify_s\": {verify_seconds}, \"proof_bytes\": {bytes}}}"
    );
}
