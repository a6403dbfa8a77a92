//! Who may speak for an account: its trading key, or a session key the trading key certified
//! (`novate.spec.authorization`).

use novate_primitives::hash::{Tag, hash_ragged};

use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::messages::orders::{CERTIFICATE, certificate_elements, check_certificate};
use crate::signatures::Checks;
use crate::types::numbers::Digest;
use crate::types::orders::{Authorization, SCOPE_NONE};

/// A message that claims to be authorized by an account.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    pub account: i64,
    pub tag: Tag,
    /// What is signed.
    pub elements: Vec<u64>,
    pub authorization: &'a Authorization,
    /// What a session key needs; `SCOPE_NONE`: session keys may not sign this.
    pub scope: i64,
}

/// Messages to be hashed, by tag, each with its place among the checks.
#[derive(Debug, Default)]
struct Messages {
    groups: Vec<Group>,
    count: usize,
}

#[derive(Debug)]
struct Group {
    tag: Tag,
    elements: Vec<u64>,
    offsets: Vec<usize>,
    places: Vec<usize>,
}

impl Messages {
    /// Adds the message whose elements `write` appends.
    fn push(&mut self, tag: Tag, write: impl FnOnce(&mut Vec<u64>)) {
        let known = self.groups.iter().position(|group| group.tag == tag);
        let place = known.unwrap_or_else(|| {
            let (elements, places) = (Vec::new(), Vec::new());
            self.groups.push(Group { tag, elements, offsets: vec![0], places });
            self.groups.len() - 1
        });
        let group = &mut self.groups[place];
        write(&mut group.elements);
        group.offsets.push(group.elements.len());
        group.places.push(self.count);
        self.count += 1;
    }

    /// The digests, in the order of the messages.
    fn digests(&self) -> Vec<Digest> {
        let mut digests = vec![[0; 4]; self.count];
        for group in &self.groups {
            let hashed = hash_ragged(group.tag, &group.elements, &group.offsets);
            for (place, digest) in group.places.iter().zip(hashed) {
                digests[*place] = digest;
            }
        }
        digests
    }
}

/// For each claim, none if it is authorized, else why not. All signatures in one call.
pub fn verdicts(draft: &Draft, time: i64, claims: &[Claim<'_>]) -> Law<Vec<Option<Reason>>> {
    let mut results = Vec::with_capacity(claims.len());
    for claim in claims {
        results.push(obstacle(draft, time, claim)?);
    }
    let domain = draft.domain();
    let mut messages = Messages::default();
    let mut checks = Checks::default();
    let mut places = Vec::with_capacity(claims.len());
    for (place, claim) in claims.iter().enumerate().filter(|(place, _)| results[*place].is_none()) {
        let account = draft.account(claim.account)?;
        let mut signer = account.key;
        if let Some(certificate) = &claim.authorization.certificate {
            messages.push(CERTIFICATE, |elements| {
                let epoch = account.key_epoch;
                certificate_elements(certificate, &domain, claim.account, epoch, elements);
            });
            checks.push(account.key, &certificate.signature);
            places.push(place);
            signer = certificate.key;
        }
        messages.push(claim.tag, |elements| elements.extend_from_slice(&claim.elements));
        checks.push(signer, &claim.authorization.signature);
        places.push(place);
    }
    for (place, valid) in
        places.into_iter().zip(draft.judge_signatures(&checks, &messages.digests())?)
    {
        if !valid {
            results[place] = Some(Reason::InvalidSignature);
        }
    }
    Ok(results)
}

/// The rejection unless the claim is authorized.
pub fn require(draft: &Draft, time: i64, claim: &Claim<'_>) -> Law<()> {
    match verdicts(draft, time, std::slice::from_ref(claim))?.first() {
        Some(Some(reason)) => Err(reject(*reason, format!("account = {}", claim.account))),
        _ => Ok(()),
    }
}

/// What is wrong with a claim before any signature is looked at.
fn obstacle(draft: &Draft, time: i64, claim: &Claim<'_>) -> Law<Option<Reason>> {
    if !draft.has_account(claim.account) {
        return Ok(Some(Reason::UnknownAccount));
    }
    let Some(certificate) = &claim.authorization.certificate else { return Ok(None) };
    check_certificate(certificate)?;
    if claim.scope == SCOPE_NONE || certificate.scope & claim.scope == 0 {
        return Ok(Some(Reason::SessionKeyOutOfScope));
    }
    if certificate.expiry <= time {
        return Ok(Some(Reason::SessionKeyExpired));
    }
    Ok(None)
}
