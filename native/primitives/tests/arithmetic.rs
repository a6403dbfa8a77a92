//! Random checks of field, scalars and group against big integers and against each other.

mod common;

use common::{from_limbs, limbs};
use novate_primitives::base::{Base, Coefficient, P, SecretBase};
use novate_primitives::batch::verify_batch;
use novate_primitives::curve::{AffinePoint, KeyTable, Point, multiply_variable_time};
use novate_primitives::generator::{
    add_generator_multiple, add_generator_multiples, encode_generator_multiple, multiply_generator,
};
use novate_primitives::hash::{self, Tag};
use novate_primitives::lanes::{self, LANES};
use novate_primitives::merkle::Tree;
use novate_primitives::quintic::Quintic;
use novate_primitives::scalar::{ORDER, Scalar};
use novate_primitives::schnorr::{self, SecretKey};
use novate_primitives::secret_hash::hash_secret;
use num_bigint::BigUint;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Words at every edge of the reductions.
const EDGES: [u64; 10] = [
    0,
    1,
    2,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x8000_0000_0000_0000,
    P - 0x1_0000_0000,
    P - 2,
    P - 1,
];

fn word(rng: &mut SmallRng) -> u64 {
    if rng.random_range(0..3) == 0 {
        EDGES[rng.random_range(0..EDGES.len())]
    } else {
        rng.random_range(0..P)
    }
}

fn quintic(rng: &mut SmallRng) -> Quintic {
    Quintic(core::array::from_fn(|_| Base::reduce(word(rng))))
}

fn scalar(rng: &mut SmallRng) -> Scalar {
    Scalar::from_wide(core::array::from_fn(|_| rng.random()))
}

fn point(rng: &mut SmallRng) -> Point {
    multiply_generator(&scalar(rng))
}

#[test]
fn base_matches_big_integers() {
    let mut rng = SmallRng::seed_from_u64(1);
    let p = BigUint::from(P);
    for _ in 0..20_000 {
        let (a, b) = (word(&mut rng), word(&mut rng));
        let (x, y) = (Base::new(a).expect("canonical"), Base::new(b).expect("canonical"));
        let (big_a, big_b) = (BigUint::from(a), BigUint::from(b));
        assert_eq!(BigUint::from((x + y).word()), (&big_a + &big_b) % &p);
        assert_eq!(BigUint::from((x - y).word()), (&big_a + &p - &big_b) % &p);
        assert_eq!(BigUint::from((x * y).word()), (&big_a * &big_b) % &p);
        let small = rng.random::<u32>();
        assert_eq!(BigUint::from(x.times_small(small).word()), (&big_a * small) % &p);
        assert_eq!(x.half().double(), x);
        assert_eq!(x + -x, Base::ZERO);
    }
    assert!(Base::new(P).is_none());
    assert_eq!(Base::reduce(u64::MAX).word(), u64::MAX - P);
}

#[test]
fn secret_arithmetic_is_the_same() {
    let mut rng = SmallRng::seed_from_u64(14);
    for _ in 0..5_000 {
        let (a, b) = (word(&mut rng), word(&mut rng));
        let (x, y) = (Base::reduce(a), Base::reduce(b));
        let (secret_x, secret_y) = (SecretBase::reduce(a), SecretBase::reduce(b));
        assert_eq!((secret_x + secret_y).word(), (x + y).word());
        assert_eq!((secret_x - secret_y).word(), (x - y).word());
        assert_eq!((secret_x * secret_y).word(), (x * y).word());
        assert_eq!(secret_x.half().word(), x.half().word());
    }
    let k = scalar(&mut rng);
    assert_eq!(encode_generator_multiple(&k), multiply_generator(&k).encode());
    assert_eq!(encode_generator_multiple(&Scalar::ZERO), Quintic::ZERO);
}

#[test]
fn base_inverse_and_root() {
    let mut rng = SmallRng::seed_from_u64(2);
    for _ in 0..300 {
        let x = Base::reduce(word(&mut rng));
        let expected = if x == Base::ZERO { Base::ZERO } else { Base::ONE };
        assert_eq!(x * x.inverse(), expected);
        let power = BigUint::from(x.word()).modpow(&BigUint::from((P - 1) / 2), &BigUint::from(P));
        assert_eq!(BigUint::from(x.legendre().word()), power);
        let root = x.square().sqrt().expect("a square");
        assert!(root == x || root == -x);
        assert_eq!(x.sqrt().is_some(), x.legendre() != Base::MINUS_ONE);
    }
}

/// Schoolbook product modulo z^5 − 3, in big integers.
fn product(a: &Quintic, b: &Quintic) -> Quintic {
    let mut sums = vec![BigUint::ZERO; 5];
    for (i, x) in a.words().into_iter().enumerate() {
        for (j, y) in b.words().into_iter().enumerate() {
            let factor = if i + j < 5 { 1u32 } else { 3 };
            sums[(i + j) % 5] += BigUint::from(x) * y * factor;
        }
    }
    Quintic(core::array::from_fn(|i| Base::reduce(u64::try_from(&sums[i] % P).expect("below p"))))
}

#[test]
fn quintic_matches_big_integers() {
    let mut rng = SmallRng::seed_from_u64(3);
    for _ in 0..5_000 {
        let (a, b) = (quintic(&mut rng), quintic(&mut rng));
        assert_eq!(a * b, product(&a, &b));
        assert_eq!(a.square(), product(&a, &a));
    }
    for _ in 0..100 {
        let a = quintic(&mut rng);
        let expected = if a == Quintic::ZERO { Quintic::ZERO } else { Quintic::ONE };
        assert_eq!(a * a.inverse(), expected);
        let mut power = Quintic::ONE; // a^p
        for bit in (0..64).rev() {
            power = power.square();
            if P >> bit & 1 == 1 {
                power = power * a;
            }
        }
        assert_eq!(a.frobenius(1), power);
        assert_eq!(a.frobenius(1).frobenius(1), a.frobenius(2));
        let root = a.square().sqrt().expect("a square");
        assert!(root == a || root == -a);
        assert_eq!(a.sqrt().is_some(), a == Quintic::ZERO || a.is_nonzero_square());
    }
}

#[test]
fn scalar_matches_big_integers() {
    let mut rng = SmallRng::seed_from_u64(4);
    let n = from_limbs(&ORDER);
    for round in 0..2_000 {
        let wide: [u64; 8] = core::array::from_fn(|_| match round % 4 {
            0 => u64::MAX * rng.random_range(0..2),
            _ => rng.random(),
        });
        let a = Scalar::from_wide(wide);
        assert_eq!(from_limbs(&a.words()), from_limbs(&wide) % &n);
        let b = scalar(&mut rng);
        let (big_a, big_b) = (from_limbs(&a.words()), from_limbs(&b.words()));
        assert_eq!(from_limbs(&a.add(&b).words()), (&big_a + &big_b) % &n);
        assert_eq!(from_limbs(&a.sub(&b).words()), (&big_a + &n - &big_b) % &n);
        assert_eq!(from_limbs(&a.mul(&b).words()), (&big_a * &big_b) % &n);
    }
    assert!(Scalar::from_words(ORDER).is_none());
    assert!(Scalar::from_words(limbs(&(&n - 1u32))).is_some());
    assert!(Scalar::from_words([u64::MAX; 5]).is_none());
}

#[test]
fn group_laws() {
    let mut rng = SmallRng::seed_from_u64(5);
    for _ in 0..50 {
        let (a, b, c) = (point(&mut rng), point(&mut rng), point(&mut rng));
        assert!(a.add(&b).equals(&b.add(&a)));
        assert!(a.add(&b).add(&c).equals(&a.add(&b.add(&c))));
        assert!(a.add(&a).equals(&a.double()));
        assert!(a.add(&a.negate()).is_neutral());
        assert!(a.add(&Point::NEUTRAL).equals(&a));
        assert!(Point::NEUTRAL.add(&a).equals(&a));
        let decoded = Point::decode(&a.encode()).expect("a point");
        assert!(decoded.equals(&a));
        let affine = Point::to_affine_many(&[a, b, Point::NEUTRAL]);
        assert!(b.add_affine(&affine[0]).equals(&a.add(&b)));
        assert!(a.add_affine(&affine[0]).equals(&a.double()));
        assert!(a.add_affine(&affine[0].negate()).is_neutral());
        assert!(a.add_affine(&affine[2]).equals(&a));
        assert!(a.add_affine(&AffinePoint::NEUTRAL).equals(&a));
        assert!(affine[1].to_point().equals(&b));
    }
    assert!(Point::NEUTRAL.double().is_neutral());
    assert!(Point::NEUTRAL.double_times(7).is_neutral());
    let neutral: Point = Point::NEUTRAL;
    assert_eq!(neutral.encode(), Quintic::ZERO);
    let minus_one = Scalar::ZERO.sub(&Scalar::ONE);
    assert!(multiply_generator(&minus_one).equals(&Point::GENERATOR.negate()));
    assert!(multiply_generator(&Scalar::ZERO).is_neutral());
    assert!(multiply_generator(&Scalar::ONE).equals(&Point::GENERATOR));
}

#[test]
fn doubling_runs() {
    let mut rng = SmallRng::seed_from_u64(6);
    let start = point(&mut rng);
    let mut expected = start;
    for n in 0..20 {
        assert!(start.double_times(n).equals(&expected));
        expected = expected.add(&expected);
    }
}

#[test]
fn multiplications_agree() {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut scalars: Vec<u128> = vec![0, 1, 2, 15, 16, 17, u128::MAX, u128::MAX - 7, 1 << 127];
    scalars.extend((0..127).map(|bit| (1 << bit) - 1));
    scalars.extend((0..50).map(|_| rng.random::<u128>()));
    let base = point(&mut rng);
    let table = KeyTable::new(&base);
    for k in scalars {
        let product = multiply_variable_time(&base, k);
        assert!(product.equals(&table.multiply_variable_time(k)), "{k}");
        let by_bits = (0..128).rev().fold(Point::NEUTRAL, |sum, bit| {
            let twice = sum.double();
            if k >> bit & 1 == 1 { twice.add(&base) } else { twice }
        });
        assert!(product.equals(&by_bits), "{k}");
        let fixed = multiply_generator(&Scalar::from_u128(k));
        assert!(fixed.equals(&multiply_variable_time(&Point::GENERATOR, k)), "{k}");
    }
    for _ in 0..50 {
        let (a, b) = (scalar(&mut rng), scalar(&mut rng));
        let sum = add_generator_multiple(&multiply_generator(&a), &b);
        assert!(sum.equals(&multiply_generator(&a.add(&b))));
    }
    let most = Scalar::ZERO.sub(&Scalar::ONE);
    assert!(add_generator_multiple(&Point::GENERATOR, &most).is_neutral());
}

#[test]
fn lanes_multiply_like_singles() {
    let mut rng = SmallRng::seed_from_u64(13);
    for round in 0..20 {
        let points: [Point; LANES] = core::array::from_fn(|lane| match (round + lane) % 5 {
            0 => Point::NEUTRAL,
            _ => point(&mut rng),
        });
        let scalars: [u128; LANES] = core::array::from_fn(|lane| match (round + lane) % 7 {
            0 => 0,
            1 => u128::MAX,
            2 => 1 << 127,
            3 => 8,
            _ => rng.random(),
        });
        let tables = points.each_ref().map(KeyTable::new);
        let joined = lanes::join(&points);
        let products = lanes::split(&lanes::multiply_variable_time(&joined, &scalars));
        let by_tables = lanes::multiply_by_tables(&tables.each_ref(), &scalars);
        let by_tables = lanes::split(&by_tables);
        let starts = lanes::split(&joined);
        let addends: [Scalar; LANES] = core::array::from_fn(|_| scalar(&mut rng));
        let sums = lanes::split(&add_generator_multiples(&joined, &addends));
        for lane in 0..LANES {
            let expected = multiply_variable_time(&points[lane], scalars[lane]);
            assert!(products[lane].equals(&expected));
            assert!(by_tables[lane].equals(&expected));
            assert!(starts[lane].equals(&points[lane]));
            let sum = add_generator_multiple(&points[lane], &addends[lane]);
            assert!(sums[lane].equals(&sum));
        }
    }
}

#[test]
fn encodings_with_neutrals() {
    let mut rng = SmallRng::seed_from_u64(8);
    let (a, b) = (point(&mut rng), point(&mut rng));
    let points = [Point::NEUTRAL, a, Point::NEUTRAL, b];
    let expected: Vec<Quintic> = points.iter().map(Point::encode).collect();
    assert_eq!(Point::encode_many(&points), expected);
    assert_eq!(Point::encode_many(&[]), vec![]);
}

#[test]
fn batches_of_every_size_hash_like_singles() {
    let mut rng = SmallRng::seed_from_u64(9);
    let tag = Tag::new("test").expect("a tag");
    for (count, width) in
        [(0, 3), (1, 0), (2, 5), (3, 8), (7, 1), (10, 2), (8, 8), (9, 9), (33, 16), (600, 17)]
    {
        let rows: Vec<u64> = (0..count * width).map(|_| word(&mut rng)).collect();
        let digests = hash::hash_rows(tag, &rows, width, count);
        for i in 0..count {
            assert_eq!(digests[i], hash::hash(tag, &rows[width * i..width * (i + 1)]));
        }
    }
    let lengths: Vec<usize> = (0..700).map(|_| rng.random_range(0..40)).collect();
    let mut offsets = vec![0];
    offsets.extend(lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    }));
    let elements: Vec<u64> = (0..offsets[700]).map(|_| word(&mut rng)).collect();
    for (i, digest) in hash::hash_ragged(tag, &elements, &offsets).iter().enumerate() {
        assert_eq!(*digest, hash::hash(tag, &elements[offsets[i]..offsets[i + 1]]));
    }
    let pairs: Vec<[u64; 8]> = (0..531).map(|_| core::array::from_fn(|_| word(&mut rng))).collect();
    for (pair, digest) in pairs.iter().zip(hash::compress_rows(&pairs)) {
        let (left, right) = pair.split_at(4);
        let single = hash::compress(left.try_into().expect("4"), right.try_into().expect("4"));
        assert_eq!(digest, single);
    }
}

#[test]
fn secrets_hash_like_the_rest() {
    let mut rng = SmallRng::seed_from_u64(12);
    for length in 0..50 {
        let elements: Vec<u64> = (0..length).map(|_| word(&mut rng)).collect();
        let tag = Tag::new("nonce_a").expect("a tag");
        assert_eq!(hash_secret(tag, &elements), hash::hash(tag, &elements));
    }
}

#[test]
fn tags() {
    for bad in ["", "12345678", "é", "a\0", "\u{7f}"] {
        assert!(Tag::new(bad).is_err(), "{bad:?}");
    }
    assert_ne!(Tag::new("a"), Tag::new("b"));
    assert!(Tag::new("1234567").is_ok());
}

#[test]
fn tree_updates_match_building() {
    let mut rng = SmallRng::seed_from_u64(10);
    let mut digest = || core::array::from_fn(|_| rng.random_range(0..P));
    let mut leaves: Vec<[u64; 4]> = (0..100).map(|_| digest()).collect();
    let mut tree = Tree::from_leaves(9, &leaves).expect("it fits");
    for step in 0..5u64 {
        let indices: Vec<u64> = (0..20).map(|i| 5 * i + step).collect();
        let changed: Vec<[u64; 4]> = indices.iter().map(|_| digest()).collect();
        for (&i, leaf) in indices.iter().zip(&changed) {
            leaves[i as usize] = *leaf;
        }
        tree.update(&indices, &changed).expect("it fits");
        assert_eq!(tree.root(), Tree::from_leaves(9, &leaves).expect("it fits").root());
    }
    let before = tree.root();
    assert!(tree.update(&[512], &[[0; 4]]).is_err());
    assert!(tree.update(&[3, 3], &[[0; 4]; 2]).is_err());
    assert!(tree.update(&[3], &[]).is_err());
    assert_eq!(tree.root(), before);
    assert!(Tree::new(33).is_err());
    assert!(tree.path(512).is_err());
    // absence is the zero digest
    let all: Vec<u64> = (0..100).collect();
    tree.update(&all, &[[0; 4]; 100]).expect("it fits");
    assert_eq!(tree.root(), Tree::new(9).expect("it fits").root());
}

#[test]
fn batch_verdicts_match_singles() {
    let mut rng = SmallRng::seed_from_u64(11);
    let secrets: Vec<SecretKey> =
        (0u8..5).map(|i| SecretKey::from_seed(&[i; 32]).expect("a seed")).collect();
    let (mut keys, mut digests, mut signatures, mut expected) = (vec![], vec![], vec![], vec![]);
    for i in 0..120 {
        // one key signs most, the others rarely: both ways of multiplying are used
        let secret = &secrets[if i % 10 == 0 { 1 + i / 40 } else { 0 }];
        let digest = core::array::from_fn(|_| rng.random_range(0..P));
        let mut key = secret.public_key();
        let mut signature = secret.sign(&digest, &[0; 4]).expect("canonical");
        match i % 6 {
            1 => signature[rng.random_range(0..7)] ^= 1 << rng.random_range(0..64),
            2 => key[rng.random_range(0..5)] ^= 1 << rng.random_range(0..64),
            _ => (),
        }
        expected.push(!matches!(i % 6, 1 | 2));
        assert_eq!(schnorr::verify(&key, &digest, &signature), expected[i]);
        keys.push(key);
        digests.push(digest);
        signatures.push(signature);
    }
    assert_eq!(verify_batch(&keys, &digests, &signatures).expect("lengths"), expected);
    assert!(verify_batch(&keys, &digests[1..], &signatures).is_err());
    assert_eq!(verify_batch(&[], &[], &[]).expect("lengths"), Vec::<bool>::new());
}

#[test]
fn many_signatures_are_singles() {
    let key = SecretKey::from_seed(b"many").expect("a seed");
    let digests: Vec<[u64; 4]> = (0..20).map(|i| [i, 1, 2, 3]).collect();
    let extra = [9, 8, 7, 6];
    for count in [0, 1, 8, 9, 20] {
        let signatures = key.sign_many(&digests[..count], &extra).expect("canonical");
        let keys = vec![key.public_key(); count];
        for (digest, signature) in digests.iter().zip(&signatures) {
            assert_eq!(*signature, key.sign(digest, &extra).expect("canonical"));
        }
        let verdicts = verify_batch(&keys, &digests[..count], &signatures).expect("lengths");
        assert_eq!(verdicts, vec![true; count]);
    }
    assert!(key.sign_many(&[[P, 0, 0, 0]], &extra).is_err());
}

#[test]
fn keys_out_of_range() {
    assert!(SecretKey::from_words([0; 5]).is_err());
    assert!(SecretKey::from_words(ORDER).is_err());
    let key = SecretKey::from_words([1, 0, 0, 0, 0]).expect("in range");
    assert_eq!(key.public_key(), [4, 0, 0, 0, 0]);
    assert!(key.sign(&[P, 0, 0, 0], &[0; 4]).is_err());
    assert!(key.sign(&[0; 4], &[0, 0, 0, P]).is_err());
}
