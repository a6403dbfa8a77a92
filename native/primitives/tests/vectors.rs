//! The vectors that others published, and those that the specification writes.

mod common;

use std::collections::BTreeMap;

use common::{bytes, integer, limbs, list, load, text, word, words, words_of_bytes};
use novate_primitives::base::Base;
use novate_primitives::batch::verify_batch;
use novate_primitives::curve::{KeyTable, Point, multiply_variable_time};
use novate_primitives::generator::{add_generator_multiple, multiply_generator};
use novate_primitives::hash::{self, Tag};
use novate_primitives::merkle::{Tree, root_from_path};
use novate_primitives::quintic::Quintic;
use novate_primitives::scalar::{ORDER, Scalar};
use novate_primitives::schnorr::{self, SecretKey};
use serde_json::Value;

const PORNIN: &str = "tests/vectors_published/ecgfp5_pornin.json";
const LIGHTER: &str = "tests/vectors_published/ecgfp5_lighter.json";
const POSEIDON2: &str = "tests/vectors_published/poseidon2_p3_goldilocks.json";
const SPECIFICATION: &str = "vectors/crypto.json";

/// The element of any five words, reduced.
fn quintic(value: &Value) -> Quintic {
    Quintic(words::<5>(value).map(Base::reduce))
}

fn point(w: &Value) -> Point {
    Point::decode(&quintic(w)).expect("a point")
}

fn scalar(value: &Value) -> Scalar {
    Scalar::from_words(limbs(&integer(value))).expect("below n")
}

/// scalar·point from three multiplications by 128 bits.
fn multiply(point: &Point, scalar: &Scalar) -> Point {
    let w = scalar.words();
    let chunk = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
    let mut sum = multiply_variable_time(point, chunk(w[4], 0)).double_times(128);
    sum = sum.add(&multiply_variable_time(point, chunk(w[2], w[3]))).double_times(128);
    sum.add(&multiply_variable_time(point, chunk(w[0], w[1])))
}

fn check_permutations(permutations: &Value) {
    for vector in list(permutations) {
        match word_of_number(&vector["width"]) {
            8 => assert_eq!(hash::permute_8(words(&vector["input"])), words(&vector["output"])),
            12 => assert_eq!(hash::permute_12(words(&vector["input"])), words(&vector["output"])),
            width => panic!("width {width}"),
        }
    }
}

fn word_of_number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn published_permutations() {
    check_permutations(&load(POSEIDON2)["permutations"]);
}

#[test]
fn published_field() {
    for (file, square, inverse) in
        [(PORNIN, None, None), (LIGHTER, Some("square_a"), Some("inverse_of_a"))]
    {
        let field = &load(file)["field"];
        let (a, b) = (quintic(&field["a"]), quintic(&field["b"]));
        assert_eq!(a + b, quintic(&field["sum"]));
        assert_eq!(a - b, quintic(&field["difference"]));
        assert_eq!(a * b, quintic(&field["product"]));
        if let (Some(square), Some(inverse)) = (square, inverse) {
            assert_eq!(a.square(), quintic(&field[square]));
            assert_eq!(a.inverse(), quintic(&field[inverse]));
            assert_eq!(a.frobenius(1), quintic(&field["frobenius_of_a"]));
        } else {
            assert_eq!(a * b.inverse(), quintic(&field["quotient"]));
        }
    }
    let root = &load(LIGHTER)["square_root"];
    let found = quintic(&root["square"]).sqrt().expect("a square");
    assert!(found == quintic(&root["root"]) || found == -quintic(&root["root"]));
    assert!(quintic(&root["not_square"]).sqrt().is_none());
}

#[test]
fn published_points() {
    let file = load(PORNIN);
    let w = list(&file["points"]["w"]);
    let points: Vec<Point> = w.iter().map(point).collect();
    for (point, w) in points.iter().zip(w) {
        assert_eq!(point.encode(), quintic(w));
    }
    assert!(points[0].is_neutral());
    let scalar_1_to_2 = scalar(&file["points"]["scalar_w1_to_w2"]);
    let (one, two) = (&points[1], &points[2]);
    assert!(multiply(one, &scalar_1_to_2).equals(two));
    assert!(one.add(two).equals(&points[3]));
    assert!(one.double().equals(&points[4]));
    assert!(two.double().equals(&points[5]));
    assert!(one.double().add(two).equals(&points[6]));
    assert!(one.add(&two.double()).equals(&points[7]));
    for w in list(&file["not_points"]) {
        assert!(Point::decode(&quintic(w)).is_none());
    }
    let multiplication = &file["multiplication"];
    let factor = Scalar::from_words(words_of_bytes(&multiplication["scalar_bytes"])).expect("n");
    let product = multiply(&point(&multiplication["w"]), &factor);
    assert_eq!(product.encode(), quintic(&multiplication["product"]));
}

#[test]
fn published_generator_multiples() {
    let file = load(PORNIN);
    assert_eq!(integer_of_order(), integer(&file["order"]));
    assert_eq!(Point::GENERATOR.encode(), quintic(&file["generator"]["w"]));
    for vector in list(&file["generator_multiples"]) {
        let power = word_of_number(&vector["power_of_two"]) as u32;
        let multiple = u128::from(word_of_number(&vector["multiple"]));
        let base = Point::GENERATOR.double_times(power);
        let expected = quintic(&vector["u"]).inverse();
        assert_eq!(multiply_variable_time(&base, multiple).encode(), expected);
        assert_eq!(KeyTable::new(&base).multiply_variable_time(multiple).encode(), expected);
    }
}

fn integer_of_order() -> num_bigint::BigUint {
    common::from_limbs(&ORDER)
}

#[test]
fn published_scalars() {
    let scalars = &load(PORNIN)["scalars"];
    assert!(Scalar::from_words(words_of_bytes(&scalars["order_bytes"])).is_none());
    let most = Scalar::from_words(words_of_bytes(&scalars["order_minus_one_bytes"])).expect("n");
    assert_eq!(most.add(&Scalar::ONE), Scalar::ZERO);
    let wide = Scalar::from_wide(words_of_bytes(&scalars["wide_bytes"]));
    assert_eq!(wide.words(), words_of_bytes(&scalars["wide_reduced_bytes"]));
    let mut power = wide;
    for _ in 0..8 {
        power = power.mul(&power);
    }
    assert_eq!(power.words(), words_of_bytes(&scalars["wide_power_256_bytes"]));
}

/// Lighter's scheme has another challenge hash; its response and the group equation are ours.
#[test]
fn published_responses() {
    for vector in list(&load(LIGHTER)["schnorr"]) {
        let [secret, nonce, challenge, response] =
            ["secret", "nonce", "challenge", "response"].map(|name| scalar(&vector[name]));
        assert_eq!(nonce.sub(&challenge.mul(&secret)), response);
        let key = multiply_generator(&secret);
        let commitment = add_generator_multiple(&multiply(&key, &challenge), &response);
        assert!(commitment.equals(&multiply_generator(&nonce)));
    }
}

#[test]
fn specified_permutations_and_field() {
    let file = load(SPECIFICATION);
    check_permutations(&file["permutations"]);
    for vector in list(&file["field"]) {
        let (a, b) = (quintic(&vector["a"]), quintic(&vector["b"]));
        assert_eq!(a + b, quintic(&vector["sum"]));
        assert_eq!(a - b, quintic(&vector["difference"]));
        assert_eq!(a * b, quintic(&vector["product"]));
        assert_eq!(a.square(), quintic(&vector["square_a"]));
        assert_eq!(a.inverse(), quintic(&vector["inverse_or_zero_a"]));
        let is_square = vector["a_is_square"].as_bool().expect("a bool");
        assert_eq!(a.sqrt().is_some(), is_square);
        assert_eq!(a == Quintic::ZERO || a.is_nonzero_square(), is_square);
    }
}

#[test]
fn specified_scalars_and_points() {
    let file = load(SPECIFICATION);
    for vector in list(&file["scalars"]) {
        let wide = Scalar::from_wide(words(&vector["elements"]));
        assert_eq!(wide, scalar(&vector["scalar"]));
    }
    for vector in list(&file["points"]) {
        let (k, m) = (scalar(&vector["k"]), scalar(&vector["m"]));
        let k_generator = multiply_generator(&k);
        assert_eq!(k_generator.encode(), quintic(&vector["k_generator"]));
        assert_eq!(k_generator.double().encode(), quintic(&vector["double"]));
        assert_eq!(k_generator.negate().encode(), quintic(&vector["negated"]));
        let sum = add_generator_multiple(&multiply(&k_generator, &k), &m);
        assert_eq!(sum.encode(), quintic(&vector["m_generator_plus_k_k_generator"]));
    }
}

/// Messages laid end to end, their offsets and their digests.
type Messages = (Vec<u64>, Vec<usize>, Vec<[u64; 4]>);

#[test]
fn specified_hashes() {
    let file = load(SPECIFICATION);
    let mut by_tag: BTreeMap<&str, Messages> = BTreeMap::new();
    for vector in list(&file["hash"]) {
        let elements: Vec<u64> = list(&vector["elements"]).iter().map(word).collect();
        let digest = words(&vector["digest"]);
        let tag = text(&vector["tag"]);
        assert_eq!(hash::hash(Tag::new(tag).expect("a tag"), &elements), digest);
        let (all, offsets, digests) =
            by_tag.entry(tag).or_insert_with(|| (Vec::new(), vec![0], Vec::new()));
        all.extend(elements);
        offsets.push(all.len());
        digests.push(digest);
    }
    for (tag, (all, offsets, digests)) in by_tag {
        assert_eq!(hash::hash_ragged(Tag::new(tag).expect("a tag"), &all, &offsets), digests);
    }
    let mut pairs = Vec::new();
    let mut digests = Vec::new();
    for vector in list(&file["compress"]) {
        let (left, right): ([u64; 4], [u64; 4]) = (words(&vector["left"]), words(&vector["right"]));
        let digest = words(&vector["digest"]);
        assert_eq!(hash::compress(&left, &right), digest);
        pairs.push(core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] }));
        digests.push(digest);
    }
    assert_eq!(hash::compress_rows(&pairs), digests);
}

#[test]
fn specified_trees() {
    let leaves_of = |value: &Value| -> (Vec<u64>, Vec<[u64; 4]>) {
        list(value).iter().map(|leaf| (word(&leaf["index"]), words(&leaf["digest"]))).unzip()
    };
    for vector in list(&load(SPECIFICATION)["merkle"]) {
        let mut tree = Tree::new(word_of_number(&vector["depth"]) as u32).expect("a depth");
        let (indices, leaves) = leaves_of(&vector["leaves"]);
        tree.update(&indices, &leaves).expect("indices in the tree");
        assert_eq!(tree.root(), words(&vector["root"]));
        let (indices, leaves) = leaves_of(&vector["changes"]);
        tree.update(&indices, &leaves).expect("indices in the tree");
        assert_eq!(tree.root(), words(&vector["root_after"]));
        for path in list(&vector["paths_after"]) {
            let (index, leaf) = (word(&path["index"]), words(&path["digest"]));
            let siblings: Vec<[u64; 4]> = list(&path["siblings"]).iter().map(words).collect();
            assert_eq!(tree.leaf(index).expect("an index"), leaf);
            assert_eq!(tree.path(index).expect("an index"), siblings);
            assert_eq!(root_from_path(&leaf, index, &siblings).expect("a path"), tree.root());
        }
    }
}

#[test]
fn specified_keys() {
    let file = load(SPECIFICATION);
    for vector in list(&file["keys"]) {
        let key = SecretKey::from_seed(&bytes(&vector["secret_seed"])).expect("a seed");
        assert_eq!(key.expose_words(), limbs(&integer(&vector["secret"])));
        assert_eq!(key.public_key(), words(&vector["key"]));
        assert_eq!(key.public_key(), words_of_bytes(&vector["bytes"]));
    }
    for vector in list(&file["key_bytes"]) {
        if bytes(&vector["bytes"]).len() == 40 {
            let valid = vector["valid"].as_bool().expect("a bool");
            assert_eq!(schnorr::is_public_key(&words_of_bytes(&vector["bytes"])), valid);
        }
    }
}

#[test]
fn specified_signatures() {
    let file = load(SPECIFICATION);
    let (mut keys, mut digests, mut signatures, mut expected) = (vec![], vec![], vec![], vec![]);
    for vector in list(&file["signatures"]) {
        let (key, digest) = (words(&vector["key"]), words(&vector["digest"]));
        let signature = words_of_bytes(&vector["bytes"]);
        let valid = vector["valid"].as_bool().expect("a bool");
        assert_eq!(schnorr::verify(&key, &digest, &signature), valid, "{}", vector["why"]);
        if !vector["extra"].is_null() {
            let secret = SecretKey::from_seed(&bytes(&vector["secret_seed"])).expect("a seed");
            let signed = secret.sign(&digest, &words(&vector["extra"])).expect("canonical");
            assert_eq!(signed, signature);
        }
        keys.push(key);
        digests.push(digest);
        signatures.push(signature);
        expected.push(valid);
    }
    assert!(expected.iter().filter(|&&valid| !valid).count() >= 25);
    assert_eq!(verify_batch(&keys, &digests, &signatures).expect("equal lengths"), expected);
}
