//! The decoder of proofs, fuzzed: bytes in, an error or a proof out, never a panic.
//!
//! A proof of a small relation is mutated by a seeded generator. An input that is decoded must
//! encode to itself; now and then one is verified, which must not stop the library either.
//! `NOVATE_FUZZ_INPUTS` and `NOVATE_FUZZ_SEED` set how many inputs there are and which:
//!
//!     NOVATE_FUZZ_INPUTS=2000000 cargo test -p novate-prover --test decoder -- --nocapture

use std::collections::BTreeMap;
use std::env;

use novate_prover::prove::Proof;
use novate_prover::relation::{F, Interaction, Node, Origin, P, Table};
use novate_prover::witness::{Trace, fill};
use novate_prover::{Error, Profile, Relation, Statement};

const LOG_ROWS: usize = 12;
/// Inputs where the environment asks for no other number.
const INPUTS: u64 = 20_000;
/// One in so many inputs that have a proof's shape is verified.
const VERIFIED_EVERY: u64 = 64;

/// xorshift64*; the state is never zero.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below a limit that is not zero.
    fn below(&mut self, limit: usize) -> usize {
        (self.word() % limit as u64) as usize
    }
}

/// Every row sends its value once and receives it as often as it is sent; the first value is 0.
fn relation() -> Relation {
    let nodes = vec![
        Node::Column(0),
        Node::Column(1),
        Node::Constant(0),
        Node::Constant(1),
        Node::First,
        Node::Subtract(2, 1),
        Node::Multiply(4, 0),
    ];
    let send = Interaction { bus: 0, fields: vec![0], times: 3, weight: 1 };
    let receive = Interaction { bus: 0, fields: vec![0], times: 5, weight: 0 };
    let table = Table {
        columns: vec![Origin::Primary, Origin::Multiplicity],
        order: vec![0, 1],
        nodes,
        rules: vec![6],
        interactions: vec![send, receive],
        publics: 0,
    };
    Relation { tables: vec![table] }
}

fn statement() -> Statement {
    let profile = Profile {
        log_rows: vec![LOG_ROWS],
        security_level: 103,
        pow_bits: 20,
        sumcheck_pow_bits: 2,
        starting_log_inv_rate: 2,
        folds: vec![4, 4],
        rates: Vec::new(),
    };
    Statement::new(relation(), profile).expect("the profile gives a protocol")
}

fn proof(statement: &Statement) -> Vec<u8> {
    let values: Trace = vec![(0..1u64 << LOG_ROWS).map(|row| F::new(row % 3)).collect()];
    let publics = [Vec::new()];
    let traces = fill(statement.relation(), &[LOG_ROWS], vec![values], &publics);
    let proved = statement.prove(traces.expect("the column fits"), &publics);
    let bytes = statement.encode(&proved.expect("the witness is valid"));
    bytes.expect("the proof has the profile's shape")
}

/// Words that sit at a border of what a decoder accepts.
const BORDERS: [u64; 7] = [0, 1, P - 1, P, P + 1, u64::MAX, 1 << 63];
/// Lengths of an element, an extension element, a digest, a count, and less than any.
const LENGTHS: [usize; 5] = [1, 4, 8, 24, 32];

/// One to four changes of a proof's bytes.
fn mutated(proof: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = proof.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let length = LENGTHS[random.below(LENGTHS.len())].min(bytes.len() - at);
        match random.below(10) {
            0..=2 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = random.word() as u8,
            4 => put(&mut bytes, at, &BORDERS[random.below(BORDERS.len())].to_le_bytes()),
            5 => put(&mut bytes, at, &(random.word() as u32 % 4_096).to_le_bytes()),
            6 => drop(bytes.drain(at..at + length)),
            7 => {
                let again = bytes[at..at + length].to_vec();
                bytes.splice(at..at, again);
            }
            8 => bytes.truncate(at),
            _ => bytes.extend((0..length).map(|_| random.word() as u8)),
        }
    }
    bytes
}

/// Overwrites as much as there is room for.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    let room = value.len().min(bytes.len() - at);
    bytes[at..at + room].copy_from_slice(&value[..room]);
}

fn number_of(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn mutated_proofs_are_refused_or_encode_to_themselves() {
    let statement = statement();
    let proof = proof(&statement);
    let (inputs, seed) =
        (number_of("NOVATE_FUZZ_INPUTS", INPUTS), number_of("NOVATE_FUZZ_SEED", 1));
    let mut random = Random(seed.max(1));
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..inputs {
        let bytes = mutated(&proof, &mut random);
        let what = match statement.decode(&bytes) {
            Err(Error::Decode(reason)) => reason_kind(&reason),
            Err(other) => panic!("a decoder says: {other}"),
            Ok(decoded) => judge(&statement, &decoded, &bytes, bytes == proof, &mut random),
        };
        *seen.entry(what).or_default() += 1;
    }
    println!("{inputs} inputs of about {} bytes, seed {seed}", proof.len());
    for (what, count) in &seen {
        println!("{count:>10}  {what}");
    }
    let met = ["bytes at", "bytes after the proof", "digests, at most", "is not below", "rejected"];
    for kind in met {
        assert!(seen.keys().any(|what| what.contains(kind)), "no input met {kind}");
    }
}

/// A reason without its numbers and fields.
fn reason_kind(reason: &str) -> String {
    let kinds = ["bytes at", "bytes after the proof", "digests, at most", "is not below"];
    let found = kinds.iter().find(|kind| reason.contains(**kind));
    format!("decode: {}", found.expect("the decoder has four reasons"))
}

/// What a decoded input is: itself when encoded, and no other proof.
fn judge(
    statement: &Statement,
    decoded: &Proof,
    bytes: &[u8],
    same: bool,
    random: &mut Random,
) -> String {
    let encoded = statement.encode(decoded).expect("what was decoded has the shape");
    assert_eq!(encoded, bytes, "a second encoding");
    if !same && !random.word().is_multiple_of(VERIFIED_EVERY) {
        return "a proof's shape".into();
    }
    match statement.verify(decoded, &[Vec::new()]) {
        Ok(()) => {
            assert!(same, "a damaged proof was accepted");
            "the proof itself".into()
        }
        Err(Error::Rejected(_)) => {
            assert!(!same, "the proof was refused");
            "a proof's shape, rejected".into()
        }
        Err(other) => panic!("the verifier says: {other}"),
    }
}

#[test]
fn random_bytes_and_every_cut_are_refused() {
    let statement = statement();
    let proof = proof(&statement);
    let mut random = Random(2);
    for length in 0..proof.len() {
        assert!(statement.decode(&proof[..length]).is_err(), "cut at {length}");
    }
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..proof.len()).map(|_| random.word() as u8).collect();
        assert!(matches!(statement.decode(&bytes), Err(Error::Decode(_))));
    }
}
