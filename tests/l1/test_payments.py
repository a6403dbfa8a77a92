"""Withdrawals through to tokens: `full` by window, `diff` by a proof, each payment once."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from novate.l1.abi import ContractError
from novate.l1.anvil import Anvil
from novate.l1.client import L1
from novate.l1.history import Commit
from novate.l1.outbox import Fate, Outcome
from novate.l1.payments import CLAIM_GAS, Claim, claims_of, payments_of_batch
from novate.l1.submitter import Refused, Submitter
from novate.lab.worlds import START
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.withdrawals import Payment
from tests.l1.test_submitter import TRADERS, opened
from tests.l1.venue import DEPOSIT, SEQUENCER, TERMS, L1Venue, deployed

PROOF = b"a proof for the stand-in verifier"


def leave(venue: L1Venue, form: DataForm) -> Submitter:
    """Two traders withdraw in batch 4, which is committed."""
    opened(venue)
    venue.begin()
    venue.withdraw(1, DEPOSIT // 2)
    venue.withdraw(2, 7)
    venue.seal(form)
    submitter = venue.submitter()
    venue.work(submitter)
    return submitter


def claims(venue: L1Venue, number: int = 4) -> list[Claim]:
    """The claims of a batch."""
    return claims_of(venue.l1, venue.contract("settlement"), venue.history().standing[number])


def claim(venue: L1Venue, found: Claim, sender: int = 9) -> None:
    venue.send(sender, "vault", "claim", *found, gas=CLAIM_GAS)


def tokens(venue: L1Venue, trader: int) -> int:
    balance: int = venue.l1.view(venue.token, "balanceOf", venue.chain.wallet(trader).address)
    return balance


def test_a_payment_is_claimed_once_and_only_when_final(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        submitter = leave(venue, DataForm.FULL)
        first, second = claims(venue)
        owners = [venue.chain.wallet(trader).address for trader in TRADERS]
        assert first.payment == Payment(1, owners[0], DEPOSIT // 2)
        assert second.payment == Payment(2, owners[1], 7)
        with pytest.raises(ContractError, match="NotFinal"):
            claim(venue, first)
        venue.chain.control.mine(TERMS.challenge_window + 1)
        venue.work(submitter)
        for wrong in (
            first._replace(payment=first.payment._replace(amount=DEPOSIT)),
            first._replace(place=1),
            first._replace(path=second.path),
        ):
            with pytest.raises(ContractError, match="WrongPath"):
                claim(venue, wrong)
        claim(venue, first)
        claim(venue, second)
        assert [tokens(venue, trader) for trader in TRADERS] == [DEPOSIT // 2, 7]
        for again in (first, second):
            with pytest.raises(ContractError, match="AlreadyClaimed"):
                claim(venue, again)
        assert [tokens(venue, trader) for trader in TRADERS] == [DEPOSIT // 2, 7]
        vault = venue.contract("vault")
        assert venue.l1.view(vault, "holdings") == 2 * DEPOSIT - DEPOSIT // 2 - 7


def accept(venue: L1Venue, batch: Commit, sequencer: int = SEQUENCER) -> None:
    """Tell the stand-in verifier that a batch is proven for a sequencer as payee."""
    payee = venue.chain.wallet(sequencer).address
    entry = venue.contract("verifier").artifact.function("verify")
    statement = (*batch.struct[0][:2], "0x" + payee.to_bytes(20, "big").hex())
    digest = keccak(encode([entry.inputs[0].type], [statement]))
    venue.send(0, "verifier", "accept", digest)


def test_diff_batches_are_final_by_proof_and_pay(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path, verifier="ChosenVerifier") as venue:
        submitter = leave(venue, DataForm.DIFF)
        venue.chain.control.mine(TERMS.challenge_window + 1)
        venue.work(submitter)
        settlement = venue.contract("settlement")
        assert venue.l1.view(settlement, "finalized") == 3  # no window for `diff`
        batch = venue.history().standing[4]
        submitter.proofs = lambda found: PROOF if found.hash == batch.hash else None
        refused = submitter.step()
        assert isinstance(refused, Refused)
        assert (refused.number, refused.error.name) == (4, "InvalidProof")
        accept(venue, batch)
        happened = venue.work(submitter)
        labels = [event.label for event in happened if isinstance(event, Outcome)]
        assert labels == ["prove 4", "finalize 4 to 4"]
        assert all(event.fate == Fate.DONE for event in happened if isinstance(event, Outcome))
        assert venue.history().proven == {4}
        for found in claims(venue):
            claim(venue, found)
        assert [tokens(venue, trader) for trader in TRADERS] == [DEPOSIT // 2, 7]


def test_an_honest_verifier_that_rejects_everything_says_so(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        leave(venue, DataForm.DIFF)
        batch = venue.history().standing[4]
        with pytest.raises(ContractError) as caught:
            venue.send(0, "settlement", "prove", batch.struct, 1, PROOF, gas=2_000_000)
        assert caught.value.name == "EveryProofIsRejected"


def test_a_batch_without_payments_has_no_claims(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        leave(venue, DataForm.FULL)
        assert claims(venue, 3) == []
        l1: L1 = venue.l1
        settlement = venue.contract("settlement")
        assert payments_of_batch(l1, settlement, venue.history().standing[3]) == ()
