"""A sequencer that lies: what it posts, who notices, and what L1 does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from novate.l1.abi import ContractError
from novate.l1.history import Commit
from novate.l1.payments import claims_of
from novate.l1.rebuild import Unlawful
from novate.l1.submission import Submission, submission_of
from novate.l1.submitter import commit_transaction
from novate.l1.wallet import Transaction
from novate.lab.demo_audit import Audit
from novate.lab.demo_chain import CALL_GAS, CHALLENGER, ETHER, ROGUE, TERMS, DemoChain
from novate.lab.progress import Progress
from novate.native import NativePrimitives
from novate.node.port import EngineKit
from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.primitives import Digest
from novate.spec.public_data.calldata import Calldata, calldata_of, encode_calldata
from novate.spec.public_data.header import DataForm, Header, header_from
from novate.spec.public_data.opening import Carrier
from novate.spec.public_data.withdrawals import NO_ACCOUNT, Payment
from novate.spec.state import State

LOOT: Final = 1_000_000 * 1_000_000
"""What the rogue pays itself, micro-USDC."""
INVENTED_ROOTS: Final[tuple[Digest, Digest]] = ((1, 2, 3, 4), (5, 6, 7, 8))
"""Roots of nothing: settlement root and root that the rogue claims."""


@dataclass
class Fraud:
    """Everything that the act showed."""

    loot: int
    found: int = 0
    """Number of the batch that the rebuild refused."""
    why: str = ""
    claim_error: str = ""
    proof_error: str = ""
    won: int = 0
    """wei that the challenger's balance in the contract grew by."""
    reverted: int = 0
    """Batches that stood after the fraud and went with it, the fraud included."""


def lie(chain: DemoChain, kit: EngineKit, state: State) -> Submission:
    """A batch of nothing on top of a state, with invented roots and a payment to the rogue."""
    primitives = NativePrimitives()
    engine = kit.start(state)
    engine.begin(state.system.fork)
    engine.open(state.system.time + ORACLE_GRID_S)
    engine.close()
    sealed = engine.seal()
    honest = header_from(sealed.batch, sealed.journal, DataForm.FULL, primitives)
    settlement_root, root = INVENTED_ROOTS
    header = honest._replace(settlement_root_after=settlement_root, root_after=root)
    payment = Payment(NO_ACCOUNT, chain.wallet(ROGUE).address, LOOT)
    contract_data = encode_calldata(calldata_of(sealed.journal)._replace(payments=(payment,)))
    return submission_of(header, sealed.data, contract_data, Carrier.CALLDATA, primitives)


def successor(lied: Submission) -> Submission:
    """A batch on top of the lie, with the same roots before and after."""
    header: Header = lied.header
    settlement_root, root = INVENTED_ROOTS
    follows = header._replace(
        number=header.number + 1, settlement_root_before=settlement_root, root_before=root
    )
    empty = encode_calldata(Calldata((), ()))
    return submission_of(follows, lied.data, empty, Carrier.CALLDATA, NativePrimitives())


class FraudAct:
    """The act, step by step, on L1."""

    def __init__(self, chain: DemoChain, kit: EngineKit, audit: Audit, progress: Progress) -> None:
        """The node must have nothing on its way to L1."""
        self.chain = chain
        self.kit = kit
        self.audit = audit
        self.progress = progress
        self.fraud = Fraud(LOOT)

    def play(self) -> Fraud:
        """Post the lie and a successor, let both be reverted; what was seen on the way."""
        state = self.audit.state()
        before = self.chain.history().standing[state.system.batch_number]
        self.chain.send(self.chain.wallet(ROGUE), "settlement", "addBalance", value=10 * ETHER)
        lied = lie(self.chain, self.kit, state)
        first = self._post(lied, before)
        second = self._post(successor(lied), first)
        self.progress.say(
            f"batches {first.number} and {second.number} are a lie: invented roots, and "
            f"{LOOT / 1e6:,.0f} USDC to the sequencer that posted them"
        )
        self._notice()
        self._challenge(first)
        self._revert(before, first, second)
        return self.fraud

    def _post(self, submission: Submission, parent: Commit) -> Commit:
        """Commit a batch from the rogue's account."""
        settlement = self.chain.contract("settlement")
        transaction = commit_transaction(settlement, parent, submission)
        self.chain.l1.transact(self.chain.wallet(ROGUE), transaction)
        return self.chain.history().standing[submission.header.number]

    def _notice(self) -> None:
        """Whoever rebuilds the state from L1 is told which batch is unlawful."""
        try:
            self.audit.state()
        except Unlawful as error:
            self.fraud.found, self.fraud.why = error.number, str(error)
            self.progress.say(f"rebuild from L1 stops at batch {error.number}: it is unlawful")

    def _challenge(self, lied: Commit) -> None:
        """A stranger challenges; neither payment nor proof gets through."""
        challenger, rogue = self.chain.wallet(CHALLENGER), self.chain.wallet(ROGUE)
        self.chain.send(
            challenger, "settlement", "challenge", lied.struct, value=TERMS.challenge_bond
        )
        settlement, vault = self.chain.contract("settlement"), self.chain.contract("vault")
        [claim] = claims_of(self.chain.l1, settlement, lied)
        self.fraud.claim_error = self._error(
            Transaction(vault.address, vault.artifact.call("claim", *claim), CALL_GAS)
        )
        proof = settlement.artifact.call("prove", lied.struct, rogue.address, b"no proof")
        self.fraud.proof_error = self._error(Transaction(settlement.address, proof, CALL_GAS))
        self.progress.say(
            f"challenged; a claim of the loot fails with {self.fraud.claim_error}, a proof with "
            f"{self.fraud.proof_error}"
        )

    def _error(self, transaction: Transaction) -> str:
        """The name of the error a transaction of the rogue would end with; '' if it would not."""
        try:
            self.chain.l1.simulate(transaction, self.chain.wallet(ROGUE).address)
        except ContractError as error:
            return error.name
        return ""

    def _revert(self, before: Commit, lied: Commit, after: Commit) -> None:
        """The time to prove runs out: the lie goes with its successor, the challenger is paid."""
        challenger = self.chain.wallet(CHALLENGER)
        self.chain.control.mine(TERMS.proof_time + 1)
        balance = self._balance()
        standing = self.chain.history().committed
        self.chain.send(challenger, "settlement", "revertContested", before.struct, lied.struct)
        self.chain.send(challenger, "settlement", "settleReverted", after.struct)
        self.fraud.won = self._balance() - balance
        self.fraud.reverted = standing - self.chain.history().committed
        self.progress.say(
            f"no proof in {TERMS.proof_time} blocks: {self.fraud.reverted} batches reverted, fork "
            f"{self.chain.history().fork}; the challenger has its bond back and "
            f"{(self.fraud.won - TERMS.challenge_bond) / ETHER:.2f} ETH of the sequencer's"
        )

    def _balance(self) -> int:
        """wei of the challenger in the contract."""
        settlement = self.chain.contract("settlement")
        address = self.chain.wallet(CHALLENGER).address
        return int(self.chain.l1.view(settlement, "balances", address))
