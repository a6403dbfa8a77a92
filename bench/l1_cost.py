"""Bytes and gas of a fill on L1: the recorded order flow, in both data forms and both carriers.

    python -m bench.l1_cost [--fills 10 100 1000 4000] [--takers 400]

The recorded BTCUSDT flow (a seeded one where the recording is absent) goes through the book and
the law; a batch is sealed at each number of fills, and its commit is executed by the real contracts
on an embedded anvil, once in each form and carrier. Gas is all of the commit transaction: header,
data, D, z and y, inbox and payments; that of blobs is paid in blob gas beside it. Verification of
the proof is not in it, nor in the peers' figures: it costs a batch the same whatever its size.

The recording does not say who traded: eight makers quote the recorded depth, and each taker is
drawn from so many. It matters: `diff` data grow with the accounts a batch touches, not with fills.

Peers, from their own documents: Loopring 3 publishes 28 bytes a trade for 450 gas (16 gas a byte;
EIP-7623 has raised calldata since), StarkEx's perpetual exchange 426 gas a trade.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from bench.common import report
from novate.book.operations import Operation
from novate.l1.anvil import Anvil, ChainControl
from novate.l1.client import L1
from novate.l1.deploy import Terms, deploy, deploy_token
from novate.l1.follower import Follower
from novate.l1.history import History
from novate.l1.inbox_reader import Arrived, InboxReader
from novate.l1.rpc import L1Error
from novate.l1.submission import Submission, submission_from
from novate.l1.submitter import commit_transaction
from novate.l1.wallet import funded_wallet
from novate.lab.demo_data import DemoData, load
from novate.lab.desk import Desk
from novate.lab.market_replay import ReplaySettings
from novate.lab.venue import Venue
from novate.lab.wallets import wallet
from novate.lab.worlds import Prices, World, oracle_wallets, parameters, perpetual
from novate.native import NativePrimitives
from novate.spec.messages.inbox import Request
from novate.spec.presets import MAIN
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from novate.spec.risk_parameters import MINIMAL_RISK

MAKERS = range(1, 9)
CAPITAL = 10**13
"""micro-USDC an account."""
SECONDS = 340
ROUND_S, ROUND_FILLS = 30, 512
FOREVER = 2**32 - 1
OPERATOR, OWNERS = 0, 10
"""anvil's accounts: one deploys, commits and governs; all ten own accounts."""
GAS = 400_000
ETHER = 10**18
PEERS = (
    {"who": "Loopring 3", "bytes a fill": 28, "gas a fill": 450},
    {"who": "StarkEx perpetual", "gas a fill": 426},
)


class Market:
    """A venue on anvil, and the flow that trades on it."""

    def __init__(self, l1: L1, data: DemoData, takers: Sequence[int]) -> None:
        """Deploy, open the accounts through the inbox, open the market."""
        self.data = data
        operator = funded_wallet(OPERATOR, l1.chain_id())
        token = deploy_token(l1, operator)
        oracles, primitives = oracle_wallets(), NativePrimitives()
        self.deployment, state = deploy(
            l1,
            operator,
            preset=MAIN,
            parameters=parameters(oracles, MINIMAL_RISK),
            treasury=operator.address,
            token=token.address,
            sequencers=(operator.address,),
            primitives=primitives,
            time=data.start - 3_600,
            terms=Terms(),
        )
        self.operator, self.token = operator, token
        self.l1 = self.deployment.client(l1.rpc)
        self.world = World(state, oracles, primitives)
        self.venue = Venue(state, primitives)
        self.wallets = {account: wallet(f"trader {account}") for account in (*MAKERS, *takers)}
        self.desk = Desk(self.venue, self.wallets, FOREVER)
        self.time = data.start - 60
        self.settlement = self.deployment.contract("settlement")
        self.l1.send(operator, self.settlement, "addBalance", gas=GAS, value=100 * ETHER)
        self.follower = Follower(
            l1.rpc,
            [self.settlement, self.deployment.contract("parameters")],
            self.deployment.block,
        )
        self.history = History()
        for requests in self.requests():
            self.venue.begin()
            self.open(self.time + 5, requests)
            self.venue.close()
            self.seal()
            self.commit(self.publish(DataForm.FULL, Carrier.CALLDATA))

    def requests(self) -> Iterator[list[Request]]:
        """What every account sends to the inbox, read back from L1, a batch at a time."""
        inbox, keys = self.deployment.contract("inbox"), self.deployment.contract("keys")
        vault = self.deployment.addresses["vault"]
        owners = [funded_wallet(k, self.deployment.chain_id) for k in range(OWNERS)]
        for owner in owners:
            self.l1.send(owner, self.token, "mint", owner.address, 100 * CAPITAL, gas=GAS)
            self.l1.send(owner, self.token, "approve", vault, 100 * CAPITAL, gas=GAS)
        for account, trader in self.wallets.items():
            owner = owners[account % OWNERS]
            capital = (owner.address, CAPITAL)
            self.l1.send(owner, inbox, "depositToNewAccount", *capital, gas=GAS, value=ETHER // 10)
            key = (account, trader.key)
            self.l1.send(owner, keys, "registerKey", *key, gas=GAS, value=ETHER // 10)
        reader = InboxReader(self.l1.rpc, inbox, self.deployment.block, confirmations=0)
        found = [event.request for event in reader.poll() if isinstance(event, Arrived)]
        for first in range(0, max(len(found), 3 * MAIN.inbox_max), MAIN.inbox_max):
            yield found[first : first + MAIN.inbox_max]

    def open(self, time: int, requests: Sequence[Request] = ()) -> None:
        """Open a round with the oracles' view of that second."""
        self.time = time
        prices = Prices(self.data.path.at(max(time, self.data.start)))
        self.venue.open(time, [self.world.reports(0, time, prices)], requests)
        self.desk.new_round()

    def seal(self) -> None:
        """Seal the open batch; L1's clock follows."""
        self.sealed = self.venue.seal()
        latest = self.l1.rpc.call("eth_getBlockByNumber", "latest", False)
        if int(latest["timestamp"], 16) < self.time:
            ChainControl(self.l1.rpc).set_time(self.time)

    def publish(self, form: DataForm, carrier: Carrier) -> Submission:
        """The sealed batch in one way."""
        return submission_from(*self.sealed, form, carrier, self.world.primitives)

    def commit(self, submission: Submission) -> dict[str, object]:
        """Commit a batch; bytes and gas of it."""
        self.history.follow(self.follower)
        parent = self.history.standing[submission.header.number - 1]
        transaction = commit_transaction(self.settlement, parent, submission)
        receipt = self.l1.transact(self.operator, transaction)
        return {"gas": receipt.gas, "calldata": len(transaction.data)}


def flow(market: Market) -> Iterator[tuple[int, Operation]]:
    """The operations of the session with their seconds."""
    for second, operations in market.data.blocks():
        for operation in operations:
            yield second, operation


def fill(market: Market, operations: Iterator[tuple[int, Operation]], fills: int) -> int:
    """Open a batch and let the flow run until it has so many fills; how many it has."""
    venue = market.venue
    venue.begin()
    market.open(market.time + 5)
    begun = opened = venue.accepted["Trade"]
    for second, operation in operations:
        done = venue.accepted["Trade"]
        late = second - second % 5 - market.time >= ROUND_S
        if done - begun < fills and (late or done - opened >= ROUND_FILLS):
            venue.close()
            market.open(max(market.time + 5, second - second % 5))
            opened = done
        market.desk.run([operation])
        if venue.accepted["Trade"] - begun >= fills:
            break
    venue.close()
    return venue.accepted["Trade"] - begun


def rows(market: Market, fills: int) -> Iterator[dict[str, object]]:
    """The sealed batch in every form and carrier; the chain goes on after `full` in blobs."""
    for form in reversed(DataForm):
        for carrier in Carrier:
            submission = market.publish(form, carrier)
            row: dict[str, object] = {
                "who": "Novate",
                "fills": fills,
                "form": form.name.lower(),
                "carrier": carrier.name.lower(),
                "accounts": len(market.sealed[1].accounts_before),
                "data": len(submission.data),
                "bytes a fill": round((len(submission.data) + len(submission.calldata)) / fills, 1),
                "blobs": len(submission.blobs),
            }
            keep = (form, carrier) == (DataForm.FULL, Carrier.BLOB)
            snapshot = None if keep else market.l1.rpc.call("evm_snapshot")
            try:
                row |= market.commit(submission)
                row["gas a fill"] = round(int(str(row["gas"])) / fills, 1)
                row["blob gas a fill"] = round(131_072 * len(submission.blobs) / fills, 1)
            except L1Error as error:
                row["note"] = str(error)
            if snapshot is not None:
                market.l1.rpc.call("evm_revert", snapshot)
            yield row


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--fills", type=int, nargs="+", default=[10, 100, 1_000, 4_000])
    parser.add_argument("--takers", type=int, default=400)
    chosen = parser.parse_args(argv)
    takers = range(MAKERS.stop, MAKERS.stop + chosen.takers)
    settings = ReplaySettings(perpetual(0), MAKERS, takers)
    data = load(settings, SECONDS)
    found: list[dict[str, object]] = []
    with Anvil(data.start - 7_200) as anvil, anvil.rpc() as rpc:
        market = Market(L1(rpc), data, takers)
        operations = flow(market)
        for fills in chosen.fills:
            count = fill(market, operations, fills)
            market.seal()
            found += rows(market, count)
    print("\n".join(data.sources))
    columns = ["who", "fills", "accounts", "form", "carrier", "data", "bytes a fill", "calldata"]
    columns += ["gas", "gas a fill", "blobs", "blob gas a fill", "note"]
    report("l1_cost", [*found, *PEERS], columns)


if __name__ == "__main__":
    main()
