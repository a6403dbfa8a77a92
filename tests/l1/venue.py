"""A venue on a real chain: contracts, a venue in memory that seals batches, submitters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import pytest

from novate.l1.abi import artifacts_folder
from novate.l1.anvil import Anvil
from novate.l1.client import L1, Contract, Receipt
from novate.l1.deploy import Deployment, Terms, deploy, deploy_token
from novate.l1.follower import Follower
from novate.l1.history import History
from novate.l1.inbox_reader import Arrived, Dropped, InboxReader
from novate.l1.outbox import Outbox
from novate.l1.submission import Queue, Submission, submission_from
from novate.l1.submitter import Happened, Submitter
from novate.lab.venue import Venue
from novate.lab.wallets import Wallet, wallet
from novate.lab.worlds import START, TREASURY, Prices, World, oracle_wallets, parameters, perpetual
from novate.native import NativePrimitives
from novate.spec.messages.account import WITHDRAW_TAG, SignedWithdrawal, Withdrawal
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import ORDER_TAG, Order, SignedOrder
from novate.spec.presets import MINIMAL
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from novate.spec.risk_parameters import MINIMAL_RISK
from novate.spec.state import State
from tests.l1.chain import Chain, running

DEPLOYER, SEQUENCER, OTHER_SEQUENCER, FIRST_TRADER = 0, 1, 2, 3
TERMS = Terms(
    challenge_window=20,
    proof_time=20,
    proof_deadline=40,
    request_commit_time=2_000,
    liquidation_commit_time=300,
    request_final_time=4_000,
    pause_max=2_000,
    pending_max=64,
    sequencer_bond=10**16,
    challenge_bond=2 * 10**15,
    proving_cost=10**15,
)
REQUEST_GAS = 300_000
DEPOSIT = 10**10
"""micro-USDC."""
FEE = 10**15
"""wei sent with a request; the excess comes back."""
PRICES = Prices(7_000_000)
FOREVER = 2**32 - 1
WORK_LIMIT_S = 60.0


def require_contracts() -> None:
    """Skip the test where forge has not built the contracts."""
    if not (artifacts_folder() / "Settlement.sol").is_dir():
        pytest.skip(f"no contracts under {artifacts_folder()}: run `./novate build`")


@dataclass
class L1Venue:
    """Everything that a test moves."""

    chain: Chain
    deployment: Deployment
    token: Contract
    world: World
    venue: Venue
    folder: Path
    clock: int = START
    """Time of the next round: always a grid second."""
    nonce: int = 0
    waiting: list[Request] = field(default_factory=list)
    """Requests read from L1 and in no batch yet."""
    states: list[State] = field(default_factory=list)
    """State after each batch sealed so far; 0 is the genesis."""

    @property
    def l1(self) -> L1:
        """Client that knows the contracts' errors."""
        return self.chain.l1

    @property
    def queue(self) -> Queue:
        """Batches on their way."""
        return Queue(self.folder / "queue")

    def contract(self, role: str) -> Contract:
        """One of the deployed contracts."""
        return self.deployment.contract(role)

    def send(
        self, account: int, role: str, name: str, *arguments: object, value: int = 0, gas: int = 0
    ) -> Receipt:
        """A transaction of anvil's `account`-th account to a contract."""
        return self.l1.send(
            self.chain.wallet(account),
            self.contract(role),
            name,
            *arguments,
            gas=gas or REQUEST_GAS,
            value=value,
        )

    def fund(self, trader: int, amount: int = DEPOSIT) -> None:
        """Give a trader tokens and let the vault take them."""
        owner = self.chain.wallet(trader)
        vault = self.deployment.addresses["vault"]
        self.l1.send(owner, self.token, "mint", owner.address, amount, gas=REQUEST_GAS)
        self.l1.send(owner, self.token, "approve", vault, amount, gas=REQUEST_GAS)

    def join(self, trader: int, amount: int = DEPOSIT) -> None:
        """A trader opens an account by a deposit."""
        self.fund(trader, amount)
        owner = self.chain.wallet(trader).address
        self.send(trader, "inbox", "depositToNewAccount", owner, amount, value=FEE)

    def key(self, account: int) -> Wallet:
        """Trading key of an account."""
        return wallet(f"account {account}")

    def register(self, trader: int, account: int) -> None:
        """The trader binds the account's key on L1."""
        self.send(trader, "keys", "registerKey", account, self.key(account).key, value=FEE)

    def inbox_reader(self, confirmations: int = 0) -> InboxReader:
        """A reader of the inbox from the deployment on."""
        inbox = self.contract("inbox")
        return InboxReader(self.l1.rpc, inbox, self.deployment.block, confirmations)

    def follower(self, confirmations: int = 0) -> Follower:
        """A follower of batches and parameters from the deployment on."""
        contracts = [self.contract("settlement"), self.contract("parameters")]
        return Follower(self.l1.rpc, contracts, self.deployment.block, confirmations)

    def history(self) -> History:
        """What L1 says now."""
        history = History()
        history.follow(self.follower())
        return history

    def take(self, events: list[Arrived | Dropped]) -> None:
        """Take requests over for the next batch."""
        self.waiting += [event.request for event in events if isinstance(event, Arrived)]

    def order(self, account: int, is_buy: bool, price: int, lots: int) -> int:
        """A signed order in the open round; its place."""
        self.nonce += 1
        slot = self.nonce % self.world.state.preset.slots_max
        order = Order(account, perpetual(0), is_buy, price, lots, slot, self.nonce, FOREVER, 1_000)
        elements = order.elements(self.venue.draft.domain(), 0)
        signed = self.key(account).authorize(self.world.primitives, ORDER_TAG, elements)
        return self.venue.read_order(SignedOrder(order, signed))

    def trade(self, buyer: int, seller: int, lots: int = 1) -> None:
        """Two accounts trade the perpetual at the index."""
        price = PRICES.index_price
        sides = (
            SideOf(SideKind.ORDER, self.order(buyer, True, price, lots)),
            SideOf(SideKind.ORDER, self.order(seller, False, price, lots)),
        )
        self.venue.trade(Trade((Fill(perpetual(0), price, lots, *sides, True),)))

    def withdraw(self, account: int, amount: int) -> None:
        """An account withdraws to its owner."""
        self.nonce += 1
        slot = self.nonce % self.world.state.preset.slots_max
        message = Withdrawal(account, amount, 0, slot, self.nonce, FOREVER)
        elements = message.elements(self.venue.draft.domain(), 0)
        signed = self.key(account).authorize(self.world.primitives, WITHDRAW_TAG, elements)
        self.venue.move(SignedWithdrawal(message, signed))

    def begin(self, fork: int = 0, reset_slots: bool = False) -> None:
        """Open a batch and its only round, with fresh prices and the requests that wait."""
        limit = self.world.state.preset.inbox_max
        requests, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.clock += 5
        self.venue.begin(fork, None, reset_slots)
        reports = [self.world.reports(0, self.clock, PRICES)]
        self.venue.open(self.clock, reports, requests)

    def seal(
        self, form: DataForm = DataForm.FULL, carrier: Carrier = Carrier.CALLDATA
    ) -> Submission:
        """Seal the open batch and queue it for L1."""
        self.venue.close()
        batch, journal = self.venue.seal()
        self.states.append(self.venue.state)
        submission = submission_from(batch, journal, form, carrier, self.world.primitives)
        self.queue.put(submission)
        return submission

    def batch(self, form: DataForm = DataForm.FULL, carrier: Carrier = Carrier.CALLDATA) -> None:
        """One batch without trades."""
        self.begin()
        self.seal(form, carrier)

    def submitter(self, account: int = SEQUENCER, name: str = "submitter") -> Submitter:
        """A submitter of a sequencer's account."""
        wallet = self.chain.wallet(account)
        return Submitter(
            self.l1,
            self.contract("settlement"),
            self.follower(),
            History(),
            self.queue,
            Outbox(self.l1, wallet, self.folder / f"{name}.json", lambda: self.clock),
            TERMS.challenge_window,
        )

    def work(self, submitter: Submitter) -> list[Happened]:
        """Let a submitter step until it has nothing to do; L1 mines by itself."""
        self.catch_up_time()
        happened: list[Happened] = []
        limit = monotonic() + WORK_LIMIT_S
        while True:
            event = submitter.step()
            if event is not None:
                happened.append(event)
            elif submitter.outbox.pending is None:
                return happened
            else:
                sleep(0.002)  # until anvil has mined it
            assert monotonic() < limit, f"no end after {WORK_LIMIT_S} s: {happened[-5:]}"

    def catch_up_time(self) -> None:
        """L1's time is at least that of the batches: a header may not run ahead of its block."""
        block = self.l1.rpc.call("eth_getBlockByNumber", "latest", False)
        if int(block["timestamp"], 16) < self.clock:
            self.chain.control.set_time(self.clock)


@contextmanager
def deployed(
    anvil: Anvil, folder: Path, verifier: str = "RejectingVerifier", terms: Terms = TERMS
) -> Iterator[L1Venue]:
    """A fresh venue on a fresh chain."""
    require_contracts()
    with running(anvil) as chain:
        yield deploy_venue(chain, folder, verifier, terms)


def deploy_venue(chain: Chain, folder: Path, verifier: str, terms: Terms) -> L1Venue:
    """Deploy on a running chain; two sequencers with bonds."""
    deployer = chain.wallet(DEPLOYER)
    token = deploy_token(chain.l1, deployer)
    sequencers = tuple(chain.wallet(k).address for k in (SEQUENCER, OTHER_SEQUENCER))
    primitives = NativePrimitives()
    oracles = oracle_wallets()
    deployment, state = deploy(
        chain.l1,
        deployer,
        preset=MINIMAL,
        parameters=parameters(oracles, MINIMAL_RISK),
        treasury=TREASURY,
        token=token.address,
        sequencers=sequencers,
        primitives=primitives,
        time=START,
        terms=terms,
        verifier=verifier,
    )
    client = deployment.client(chain.l1.rpc)
    known = Chain(chain.anvil, client, chain.control)
    world = World(state, oracles, primitives)
    venue = L1Venue(known, deployment, token, world, Venue(state, primitives), folder)
    venue.states.append(state)
    for account in (SEQUENCER, OTHER_SEQUENCER):
        venue.send(account, "settlement", "addBalance", value=10**18)
    return venue
