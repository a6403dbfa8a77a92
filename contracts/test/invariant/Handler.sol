// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch} from "../../src/interfaces/ISettlement.sol";
import {Payment} from "../../src/interfaces/IVault.sol";
import {Statement} from "../../src/interfaces/IVerifier.sol";
import {Withdrawals} from "../../src/libraries/Withdrawals.sol";
import {Model} from "./Model.sol";

/// @notice Everything that anyone can do to a venue, with seeds for arguments. Each call is made
/// whether
/// or not the model allows it, and must succeed exactly when it does.
contract Handler is Model {
    constructor() {
        setUp();
        etherIn = address(settlement).balance;
        _learnGenesis();
    }

    function _actor(uint256 seed) private pure returns (address) {
        return [ALICE, BOB, CAROL][seed % 3];
    }

    /// @dev A batch: mostly one that waits for finality, sometimes any ever committed.
    function _any(uint256 seed) private view returns (uint256 place) {
        if (seed % 4 != 0 && lastCommitted > lastFinal) {
            return placeOf[uint32(lastFinal + 1 + (seed >> 8) % (lastCommitted - lastFinal))];
        }
        return (seed >> 8) % known.length;
    }

    /// @notice Mostly a few blocks; else to the very last block of a clock, or to the one after it.
    function mine(uint256 seed) external {
        uint256 last = _lastBlock(seed >> 8);
        bool toEdge = seed % 4 != 0 && last >= _block() && last <= _block() + DEADLINE;
        _mine(toEdge ? last - _block() + seed % 2 : bound(seed >> 8, 1, 40));
    }

    /// @dev The last block of one of the clocks that run.
    function _lastBlock(uint256 seed) private view returns (uint256) {
        (uint256 running, uint256 lastBlock) = _clock();
        if (running != 0 && seed % 4 == 0) return lastBlock;
        Known storage batch = known[_any(seed)];
        return batch.committedBlock + (seed % 4 == 1 ? WINDOW : DEADLINE);
    }

    // ----------------------------------------------------------------------------------- requests

    function deposit(uint256 who, uint64 amount) external {
        address sender = _actor(who);
        amount = uint64(bound(amount, 1, 500_000e6));
        if (token.balanceOf(sender) < amount) return;
        uint256 cost = inbox.fee();
        bool opens = who % 2 == 1 && inbox.nextAccount() < 64;
        bool succeeded;
        vm.recordLogs();
        vm.prank(sender);
        if (who % 8 == 0) {
            try inbox.depositToFund{value: cost}(0, amount) {
                succeeded = true;
            } catch {}
        } else if (opens) {
            try inbox.depositToNewAccount{value: cost}(sender, amount) {
                succeeded = true;
            } catch {}
        } else {
            try inbox.deposit{value: cost}(0, sender, amount) {
                succeeded = true;
            } catch {}
        }
        _noteRequest(succeeded, cost, amount, false, "deposit");
    }

    function force(uint256 who, uint64 amount) external {
        uint256 cost = inbox.fee();
        vm.recordLogs();
        vm.prank(_actor(who));
        bool succeeded;
        if (who % 2 == 0) {
            try inbox.forceLiquidation{value: cost}(0) {
                succeeded = true;
            } catch {}
        } else {
            try inbox.forceWithdrawal{value: cost}(0, amount % 2 ** 62 + 1) {
                succeeded = true;
            } catch {}
        }
        _noteRequest(succeeded, cost, 0, who % 2 == 0, "forced request");
    }

    function _noteRequest(
        bool succeeded,
        uint256 cost,
        uint64 amount,
        bool isLiquidation,
        string memory transition
    ) private {
        _went(succeeded, !isFrozen, transition);
        if (!succeeded) return;
        _noteRequests();
        feesBurned += cost;
        uint128 total = uint128(_deposits(asked.length)) + amount;
        asked.push(Asked(uint64(_block()), 0, total, isLiquidation));
    }

    // ------------------------------------------------------------------------------------ batches

    /// @notice A batch of either form, with requests and payments; now and then one that must be
    /// refused:
    /// `full` after `diff` without empty slots, payments of more than was deposited, or bytes of
    /// another
    /// request.
    function commit(uint256 seed, uint64 amount) external {
        Draft memory draft;
        draft.isDiff = seed % 2 == 1;
        bool needsReset = !draft.isDiff && _isDiff(head);
        draft.resetSlots = needsReset && (seed >> 1) % 8 != 0;
        uint256 waiting = asked.length - known[placeOf[lastCommitted]].inboxAfter;
        draft.requests = bound(seed >> 8, 0, waiting < 4 ? waiting : 4);
        uint256 cursor = known[placeOf[lastCommitted]].inboxAfter + draft.requests;
        uint256 room = _deposits(cursor) - known[placeOf[lastCommitted]].paymentsTotal;
        bool tooMuch = (seed >> 16) % 8 == 0;
        draft.payments = _payments(seed >> 24, amount, tooMuch ? room + 1 : room, tooMuch);
        bool altered = (seed >> 19) % 8 == 0 && draft.requests > 0;

        bool allowed = !isFrozen && lastCommitted - lastFinal < PENDING_MAX && !tooMuch && !altered
            && needsReset == draft.resetSlots && settlement.balances(SEQUENCER) >= BOND;
        _went(_committed(draft, altered), allowed, draft.isDiff ? "commit diff" : "commit full");
    }

    function _committed(Draft memory draft, bool altered) private returns (bool) {
        bytes memory header = _header(draft);
        bytes memory data = _contractData(draft);
        if (altered) data[5] ^= 0x01; // in the first request
        vm.recordLogs();
        vm.prank(SEQUENCER, SEQUENCER);
        try settlement.commitCalldata(head, header, bytes32(uint256(7)), "data", data) {
            head = _lastBatch(vm.getRecordedLogs());
            batches[lastCommitted + 1] = head;
            _noteCommit(head, draft.payments);
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Up to three payments that sum up to at most `room`, or to exactly that.
    function _payments(uint256 seed, uint256 amount, uint256 room, bool exactly)
        private
        pure
        returns (Payment[] memory payments)
    {
        uint256 count = exactly ? 1 : seed % 4;
        payments = new Payment[](count);
        for (uint256 k = 0; k < count; ++k) {
            uint256 part = exactly ? room : bound(amount >> k, 0, room);
            if (part >= 2 ** 63) part = 2 ** 63 - 1;
            payments[k] = Payment(uint32(k), _actor(seed >> k), uint64(part));
            room -= part;
        }
    }

    function challenge(uint256 seed, uint256 who) external {
        uint256 place = _any(seed);
        Known storage batch = known[place];
        bool allowed = _mayBeChallenged(batch);
        vm.prank(_actor(who));
        try settlement.challenge{value: CHALLENGE_BOND}(_batchAt(place)) {
            _went(true, allowed, "challenge");
            batch.challenger = _actor(who);
            batch.contestedBlock = uint64(_block());
            etherIn += CHALLENGE_BOND;
        } catch {
            _went(false, allowed, "challenge");
        }
    }

    /// @notice A proof, valid seven times of eight.
    function prove(uint256 seed, uint256 who) external {
        uint256 place = _any(seed);
        Known storage batch = known[place];
        CommittedBatch memory committed = _batchAt(place);
        address payee = _actor(who);
        bool valid = (seed >> 40) % 8 != 0;
        if (valid) _accept(committed, payee);
        bool accepted = verifier.accepts(_statement(committed, payee));
        bool allowed = accepted && batch.status == Status.PENDING && !batch.isProven;
        uint256 before = settlement.balances(payee);
        (uint256 running,) = _clock();
        try settlement.prove(committed, payee, "proof") {
            _went(true, allowed, batch.isDiff ? "prove diff" : "prove full");
            batch.isProven = true;
            bool open = batch.challenger != address(0);
            if (open && running == place) lastResolution = uint64(_block());
            if (open) _noteSplit(payee, before, CHALLENGE_BOND, "prove contested");
        } catch {
            _went(false, allowed, "prove");
        }
    }

    function _statement(CommittedBatch memory batch, address payee)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(Statement(batch.body.header, batch.body.opening, payee)));
    }

    /// @dev Half a bond, rounded down, came to `winner`; the rest was burned.
    function _noteSplit(address winner, uint256 before, uint256 bond, string memory how) private {
        _went(true, true, how);
        _require(settlement.balances(winner) == before + bond / 2, how);
        etherBurned += bond - bond / 2;
    }

    function finalize(uint256 seed) external {
        uint256 place = seed % 2 == 0 ? placeOf[lastFinal + 1] : _any(seed);
        if (lastCommitted == lastFinal && seed % 2 == 0) return;
        Known storage batch = known[place];
        bool allowed = _mayBecomeFinal(batch);
        CommittedBatch[] memory one = new CommittedBatch[](1);
        one[0] = _batchAt(place);
        try settlement.finalize(one) {
            _went(true, allowed, batch.isDiff ? "finalize diff" : "finalize full");
            batch.status = Status.FINAL;
            lastFinal = batch.number;
        } catch {
            _went(false, allowed, "finalize");
        }
    }

    // ------------------------------------------------------------------------------------ reverts

    function revertContested(uint256 seed) external {
        (uint256 running, uint256 lastBlock) = _clock();
        uint256 place = running != 0 && seed % 4 != 0 ? running : _any(seed);
        Known storage batch = known[place];
        if (batch.number == 0) return;
        bool allowed = place == running && _block() > lastBlock;
        address challenger = batch.challenger;
        uint256 before = settlement.balances(challenger) + CHALLENGE_BOND;
        try settlement.revertContested(batches[batch.number - 1], _batchAt(place)) {
            _went(true, allowed, "revert contested");
            _noteRevert(place);
            _noteSplit(challenger, before, BOND, "bond lost to a challenger");
        } catch {
            _went(false, allowed, "revert contested");
        }
    }

    function revertUnproven(uint256 seed) external {
        uint256 oldest = _oldestUnproven();
        uint256 place = oldest != 0 && seed % 4 != 0 ? oldest : _any(seed);
        Known storage batch = known[place];
        if (batch.number == 0) return;
        bool allowed = place == oldest && place != 0 && _block() > batch.committedBlock + DEADLINE;
        try settlement.revertUnproven(batches[batch.number - 1], _batchAt(place)) {
            _went(true, allowed, "revert unproven");
            _noteRevert(place);
            etherBurned += BOND;
        } catch {
            _went(false, allowed, "revert unproven");
        }
    }

    /// @notice Bonds of successors go back, once, whether or not their number was used again.
    function settleReverted(uint256 seed) external {
        uint256 place = _any(seed | 4 * (seed & 1));
        for (uint256 k = 0; k < known.length && known[place].status != Status.TAKEN_ALONG; ++k) {
            if (seed % 3 == 0) break; // any batch at all: to be refused
            place = (place + 1) % known.length;
        }
        Known storage batch = known[place];
        bool allowed = batch.status == Status.TAKEN_ALONG;
        uint256 bond = batch.challenger != address(0) && !batch.isProven ? CHALLENGE_BOND : 0;
        uint256 before = settlement.balances(batch.challenger);
        try settlement.settleReverted(_batchAt(place)) {
            _went(true, allowed, bond > 0 ? "settle contested" : "settle");
            batch.status = Status.SETTLED;
            bool paid = settlement.balances(batch.challenger) == before + bond;
            _require(bond == 0 || paid, "challenger's bond of a successor");
        } catch {
            _went(false, allowed, "settle");
        }
    }

    // -------------------------------------------------------------------------------------- money

    /// @notice Claims a payment of any batch, again and again, sometimes for more than it is.
    function claim(uint256 seed, uint256 index) external {
        uint256 place = _any(seed | 4 * (seed & 1));
        for (uint256 k = 0; k < known.length && known[place].payments.length == 0; ++k) {
            place = (place + 1) % known.length;
        }
        Known storage batch = known[place];
        if (batch.payments.length == 0) return;
        index %= batch.payments.length;
        Payment memory payment = batch.payments[index];
        bool forged = (seed >> 16) % 8 == 0;
        if (forged) payment.amount += 1;
        bool allowed = batch.status == Status.FINAL && !claimed[place][index] && !forged;
        bool succeeded = _claimed(place, payment, index);
        _went(succeeded, allowed, "claim");
        if (!succeeded) return;
        claimed[place][index] = true;
        claims += payment.amount;
    }

    function _claimed(uint256 place, Payment memory payment, uint256 index)
        private
        returns (bool)
    {
        CommittedBatch memory batch = _batchAt(place);
        bytes32 body = keccak256(abi.encode(batch.body));
        bytes32[] memory path = _path(place, index);
        uint32 number = known[place].number;
        bytes32 root = batch.withdrawalsRoot;
        try vault.claim(number, body, root, payment, uint32(index), path) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Siblings of a payment in a tree of one to three leaves.
    function _path(uint256 place, uint256 index) private view returns (bytes32[] memory path) {
        Known storage batch = known[place];
        uint256 count = batch.payments.length;
        bytes32[4] memory leaves;
        bytes32 venue = Withdrawals.domain(block.chainid, address(settlement));
        for (uint32 k = 0; k < count; ++k) {
            Payment memory payment = batch.payments[k];
            leaves[k] = Withdrawals.leaf(
                venue, payment.account, payment.recipient, payment.amount, batch.number, k
            );
        }
        path = new bytes32[](count == 1 ? 0 : count == 2 ? 1 : 2);
        if (count > 1) path[0] = leaves[index ^ 1];
        if (count > 2) {
            uint256 other = index < 2 ? 2 : 0;
            path[1] = keccak256(abi.encodePacked(leaves[other], leaves[other + 1]));
        }
    }

    /// @notice Pays what waits, and makes a recipient unable to be paid for a while.
    function release(uint256 seed) external {
        address who = _actor(seed);
        token.setBlocked(who, seed % 2 == 0);
        (uint64 first, uint64 end) = vault.queue();
        try vault.release(1 + (seed >> 8) % 3) {
            _went(true, first != end, "release");
        } catch {}
        token.setBlocked(who, false);
        if (vault.setAside(who) == 0) return;
        vm.prank(who);
        try vault.collect() {
            _went(true, true, "collect");
        } catch {}
    }

    function moveBalance(uint256 who, uint256 amount) external {
        address owner = who % 4 == 3 ? SEQUENCER : _actor(who);
        uint256 balance = settlement.balances(owner);
        vm.prank(owner);
        if (who % 8 < 4) {
            amount = bound(amount, 0, 3 ether);
            settlement.addBalance{value: amount}();
            etherIn += amount;
            return;
        }
        amount = bound(amount, 0, balance + 1 ether);
        try settlement.withdrawBalance(amount) {
            _went(true, amount <= balance, "withdraw balance");
            etherOut += amount;
        } catch {
            _went(false, amount <= balance, "withdraw balance");
        }
    }

    // ------------------------------------------------------------------------------------- freeze

    /// @notice Freezes for a request, seldom, since it ends a venue. Contests may move the last
    /// block for
    /// a request to be final by at most PAUSE_MAX; the model knows these bounds only.
    function freeze(uint256 seed) external {
        if (asked.length == 0 || seed % 16 != 0) return;
        uint256 index = (seed >> 8) % asked.length;
        Asked storage request = asked[index];
        bool isDone = index < known[placeOf[lastFinal]].inboxAfter;
        bool waits = index >= known[placeOf[lastCommitted]].inboxAfter;
        uint256 age = _block() - request.clockStart;
        bool late = waits && age > (request.isLiquidation ? LIQUIDATION_TIME : COMMIT_TIME);
        bool must = request.reverts > 1 || late || age > FINAL_TIME + PAUSE_MAX;
        bool may = must || age > FINAL_TIME;
        try settlement.freezeForRequest(uint64(index)) {
            _went(true, may && !isDone && !isFrozen, "freeze");
            isFrozen = true;
            committedWhenFrozen = lastCommitted;
        } catch {
            _went(false, must && !isDone && !isFrozen, "freeze");
        }
    }
}
