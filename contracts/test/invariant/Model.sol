// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch, SettlementConfig} from "../../src/interfaces/ISettlement.sol";
import {Payment} from "../../src/interfaces/IVault.sol";
import {Venue} from "../Venue.sol";

/// @notice What the venue should be, kept apart from it: every batch ever committed, what became of
/// it,
/// and the rules of design in their own words. Nothing here reads a state variable of the contracts
/// to
/// decide what they should do.
abstract contract Model is Venue {
    enum Status {
        PENDING,
        FINAL,
        /// Its own bond is spent.
        REVERTED,
        /// A successor of a reverted one: its bonds have still to go back.
        TAKEN_ALONG,
        SETTLED
    }

    struct Known {
        uint32 number;
        Status status;
        bool isDiff;
        bool isProven;
        /// Zero: not contested.
        address challenger;
        uint64 committedBlock;
        uint64 contestedBlock;
        uint64 inboxAfter;
        uint128 paymentsTotal;
        bytes32 hash;
        bytes encoded;
        Payment[] payments;
    }

    /// @dev A request and when the venue last had the duty to take it.
    struct Asked {
        uint64 clockStart;
        uint64 reverts;
        uint128 depositsTotal;
        bool isLiquidation;
    }

    uint32 internal constant PENDING_MAX = 12;

    Known[] internal known;
    Asked[] internal asked;
    /// @dev Place in `known` of the batch that now has this number; 0 is genesis.
    mapping(uint32 number => uint256 place) internal placeOf;
    mapping(uint256 place => mapping(uint256 index => bool)) internal claimed;
    uint32 internal lastCommitted;
    uint32 internal lastFinal;
    uint32 internal reverted;
    uint64 internal lastResolution;
    uint256 internal claims;
    uint256 internal etherIn;
    uint256 internal etherOut;
    uint256 internal etherBurned;
    uint256 internal feesBurned;
    bool internal isFrozen;
    uint32 internal committedWhenFrozen;
    /// @notice The first thing that went otherwise than the model says; empty while all is well.
    /// Kept
    /// rather than thrown: a handler that reverts would be forgotten.
    string public violation;
    /// @notice How often each transition was taken.
    mapping(bytes32 transition => uint256) public taken;

    function _config() internal pure override returns (SettlementConfig memory config) {
        config = super._config();
        config.pendingMax = PENDING_MAX;
    }

    /// @dev Batch 0, final from the start.
    function _learnGenesis() internal {
        Known storage genesis = known.push();
        genesis.status = Status.FINAL;
        genesis.hash = _hash(head);
        genesis.encoded = abi.encode(head);
    }

    function _require(bool condition, string memory what) internal {
        if (!condition && bytes(violation).length == 0) violation = what;
    }

    /// @dev Notes whether a call went as the model expects, and counts it if it succeeded.
    function _went(bool succeeded, bool expected, string memory transition) internal {
        if (succeeded != expected) {
            string memory how = succeeded ? " should have been refused" : " was refused";
            _require(false, string.concat(transition, how));
        }
        if (succeeded) ++taken[keccak256(bytes(transition))];
    }

    function _batchAt(uint256 place) internal view returns (CommittedBatch memory) {
        return abi.decode(known[place].encoded, (CommittedBatch));
    }

    // ------------------------------------------------------------------------------- the rules

    function _mayBeChallenged(Known storage batch) internal view returns (bool) {
        return batch.status == Status.PENDING && !batch.isDiff && !batch.isProven
            && batch.challenger == address(0) && _block() <= batch.committedBlock + WINDOW;
    }

    function _mayBecomeFinal(Known storage batch) internal view returns (bool) {
        if (batch.status != Status.PENDING || batch.number != lastFinal + 1) return false;
        if (batch.isProven) return true;
        return !batch.isDiff && batch.challenger == address(0)
            && _block() > batch.committedBlock + WINDOW;
    }

    /// @dev The oldest contested batch (0: none) and the last block in which a proof saves it. Its
    /// clock
    /// starts at the later of its challenge and the end of the contest before.
    function _clock() internal view returns (uint256 place, uint256 lastBlock) {
        for (uint32 number = lastFinal + 1; number <= lastCommitted; ++number) {
            place = placeOf[number];
            Known storage batch = known[place];
            if (batch.challenger == address(0) || batch.isProven) continue;
            uint64 start = batch.contestedBlock;
            if (lastResolution > start) start = lastResolution;
            return (place, start + PROOF_TIME);
        }
        return (0, 0);
    }

    /// @dev The oldest `diff` batch without a proof; 0: none.
    function _oldestUnproven() internal view returns (uint256) {
        for (uint32 number = lastFinal + 1; number <= lastCommitted; ++number) {
            Known storage batch = known[placeOf[number]];
            if (batch.isDiff && !batch.isProven) return placeOf[number];
        }
        return 0;
    }

    // ----------------------------------------------------------------------------- the effects

    function _noteCommit(CommittedBatch memory batch, Payment[] memory payments) internal {
        Known storage fresh = known.push();
        fresh.number = ++lastCommitted;
        fresh.isDiff = _isDiff(batch);
        fresh.committedBlock = uint64(_block());
        fresh.inboxAfter = uint64(_field(batch.body.header, 27, 8));
        fresh.hash = _hash(batch);
        fresh.encoded = abi.encode(batch);
        fresh.paymentsTotal = known[placeOf[fresh.number - 1]].paymentsTotal;
        for (uint256 k = 0; k < payments.length; ++k) {
            fresh.payments.push(payments[k]);
            fresh.paymentsTotal += payments[k].amount;
        }
        placeOf[fresh.number] = known.length - 1;
    }

    /// @dev A batch and its successors are gone; their requests wait again.
    function _noteRevert(uint256 place) internal {
        uint32 first = known[place].number;
        uint64 cursor = known[placeOf[first - 1]].inboxAfter;
        for (uint64 k = cursor; k < known[placeOf[lastCommitted]].inboxAfter; ++k) {
            asked[k].clockStart = uint64(_block());
            ++asked[k].reverts;
        }
        (uint256 running,) = _clock();
        if (running != 0 && known[running].number >= first) lastResolution = uint64(_block());
        for (uint32 number = first; number <= lastCommitted; ++number) {
            known[placeOf[number]].status = number == first ? Status.REVERTED : Status.TAKEN_ALONG;
        }
        lastCommitted = first - 1;
        ++reverted;
        _resetHead();
    }

    // -------------------------------------------------------------------------- the invariants

    /// @notice Reverts with the first rule that does not hold.
    function check() external view {
        if (bytes(violation).length != 0) revert(violation);
        _checkTokens();
        _checkEther();
        _checkChain();
        _checkQueue();
    }

    /// @dev Deposits = vault + paid; claims = paid + waiting; what is owed is there.
    function _checkTokens() private view {
        uint256 held = token.balanceOf(address(vault));
        uint256 people = token.balanceOf(ALICE) + token.balanceOf(BOB) + token.balanceOf(CAROL);
        assertEq(held + people, token.totalSupply(), "tokens");
        assertEq(vault.received(), held + vault.sent(), "deposits = vault + paid");
        assertEq(vault.received(), _deposits(asked.length), "deposits");
        assertEq(vault.claimed(), claims, "claims");
        assertEq(vault.claimed(), vault.sent() + _waiting(), "claims = paid + waiting");
        uint256 owed = known[placeOf[lastFinal]].paymentsTotal;
        assertLe(vault.claimed(), owed, "claimed beyond final payments");
        uint256 unprocessed = _deposits(asked.length) - _deposits(settlement.finalCursor());
        assertEq(
            vault.holdings(),
            settlement.available() + unprocessed + owed - vault.sent(),
            "holdings = state + unprocessed deposits + final payments not sent"
        );
    }

    /// @dev Micro-USDC in the vault's queue and set aside.
    function _waiting() private view returns (uint256 sum) {
        (uint64 first, uint64 end) = vault.queue();
        for (uint64 place = first; place < end; ++place) {
            (, uint64 amount) = vault.queued(place);
            sum += amount;
        }
        sum += vault.setAside(ALICE) + vault.setAside(BOB) + vault.setAside(CAROL);
    }

    function _deposits(uint256 count) internal view returns (uint256) {
        return count == 0 ? 0 : asked[count - 1].depositsTotal;
    }

    /// @dev Ether in = held + out + burned; held = balances + a bond a waiting batch + one a
    /// contest.
    function _checkEther() private view {
        uint256 bonds = 0;
        for (uint256 place = 1; place < known.length; ++place) {
            Status status = known[place].status;
            if (status != Status.PENDING && status != Status.TAKEN_ALONG) continue;
            bonds += BOND;
            bool open = known[place].challenger != address(0) && !known[place].isProven;
            if (open) bonds += CHALLENGE_BOND;
        }
        _assertSolvent(bonds);
        assertEq(address(settlement).balance + etherOut + etherBurned, etherIn, "ether");
        assertEq(GRAVE.balance, etherBurned + feesBurned, "burned");
        assertEq(address(inbox).balance + address(vault).balance, 0, "ether where none belongs");
    }

    /// @dev Numbers, fork and cursors are the model's; each root comes from the one before; what is
    /// final stays.
    function _checkChain() private view {
        assertEq(settlement.committed(), lastCommitted, "committed");
        assertEq(settlement.finalized(), lastFinal, "finalized");
        assertEq(settlement.fork(), reverted, "fork");
        assertEq(settlement.committedCursor(), known[placeOf[lastCommitted]].inboxAfter, "cursor");
        assertEq(settlement.finalCursor(), known[placeOf[lastFinal]].inboxAfter, "final cursor");
        assertEq(settlement.finalPayments(), known[placeOf[lastFinal]].paymentsTotal, "payments");
        assertTrue(settlement.frozen() == isFrozen, "frozen");
        if (isFrozen) assertLe(lastCommitted, committedWhenFrozen, "a commit after the freeze");
        bytes memory before = _batchAt(0).body.header;
        for (uint32 number = 1; number <= lastCommitted; ++number) {
            Known storage batch = known[placeOf[number]];
            assertEq(settlement.batchHash(number), batch.hash, "hash");
            assertTrue(settlement.isFinal(number, batch.hash) == (number <= lastFinal), "final");
            bytes memory header = _batchAt(placeOf[number]).body.header;
            assertEq(_field(header, 67, 32), _field(before, 131, 32), "settlement root");
            assertEq(_field(header, 99, 32), _field(before, 163, 32), "root");
            assertEq(_field(header, 19, 8), _field(before, 27, 8), "cursor of the header");
            assertEq(settlement.isProven(number) ? 1 : 0, batch.isProven ? 1 : 0, "proven");
            before = header;
        }
    }

    /// @dev The queue is the model's; the running clock is that of the oldest contest.
    function _checkQueue() private view {
        assertEq(inbox.length(), asked.length, "length");
        assertLe(settlement.committedCursor(), inbox.length(), "requests that do not exist");
        (uint256 place, uint256 last) = _clock();
        (uint32 number,, uint64 lastBlock) = settlement.clock();
        assertEq(number, known[place].number, "contested batch");
        assertEq(lastBlock, last, "its clock");
        uint256 unproven = _oldestUnproven();
        assertEq(settlement.oldestUnproven(), known[unproven].number, "unproven batch");
    }
}
