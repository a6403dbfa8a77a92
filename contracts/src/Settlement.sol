// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balances} from "./Balances.sol";
import {SettlementParameters} from "./SettlementParameters.sol";
import {RequestKind, RequestRecord} from "./interfaces/IInbox.sol";
import {
    BlobOpening,
    CommittedBatch,
    Contest,
    Genesis,
    ISettlement,
    RevertRecord,
    SettlementConfig
} from "./interfaces/ISettlement.sol";
import {Opening, Statement} from "./interfaces/IVerifier.sol";
import {Batches} from "./libraries/Batches.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {ContestClock} from "./libraries/ContestClock.sol";
import {Contradiction} from "./libraries/Contradiction.sol";
import {DataOpening} from "./libraries/DataOpening.sol";
import {Header} from "./libraries/Header.sol";
import {Requests} from "./libraries/Requests.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";
import {LeafLayout} from "./rendered/LeafLayout.sol";

/// @title Settlement
/// @notice See ISettlement. Every external function goes: which batch, what is required, effects,
/// event, money. Ether leaves by `withdrawBalance` and to the grave only, so nothing can be
/// reentered between.
///
/// A batch is kept as one hash; three sets of one bit a batch say what waits for what. All are
/// bounded by `pendingMax` batches that are not final, 256 a step.
contract Settlement is SettlementParameters, Balances {
    using Bitmap for Bitmap.Set;
    using ContestClock for ContestClock.Clock;

    /// @inheritdoc ISettlement
    uint32 public committed;
    /// @inheritdoc ISettlement
    uint32 public finalized;
    /// @inheritdoc ISettlement
    uint32 public fork;
    /// @inheritdoc ISettlement
    uint64 public committedCursor;
    /// @inheritdoc ISettlement
    FreezeCause public freezeCause;
    /// @inheritdoc ISettlement
    uint64 public finalCursor;
    /// @inheritdoc ISettlement
    uint128 public finalPayments;

    /// @inheritdoc ISettlement
    mapping(uint32 number => bytes32) public batchHash;
    /// @dev Reverted batches whose number was used again before their bonds went back.
    mapping(bytes32 hash => bool) internal replaced;
    mapping(bytes32 hash => Contest) internal contests;

    Bitmap.Set internal proven;
    /// @dev Contested and not proven.
    Bitmap.Set internal contested;
    /// @dev `diff` and not proven.
    Bitmap.Set internal unproven;
    ContestClock.Clock internal contestClock;
    RevertRecord[] internal reverts;

    /// @param genesis The first state; batch 0 stands for it, final from the start.
    constructor(SettlementConfig memory config_, Genesis memory genesis)
        SettlementParameters(config_)
    {
        if (genesis.treasury == address(0)) revert ZeroAddress("treasury");
        CommittedBatch memory batch;
        batch.body.header = _genesisHeader(genesis, parameters.current());
        batch.body.committedBlock = uint64(block.number);
        bytes32 hash = Batches.hashOfNew(batch);
        batchHash[0] = hash;
        emit Began(genesis, config_);
        emit BatchCommitted(0, hash, batch);
        emit BatchFinalized(0, hash);
    }

    // -------------------------------------------------------------------------------------- commit

    /// @inheritdoc ISettlement
    function commitCalldata(
        CommittedBatch calldata parent,
        bytes calldata header,
        bytes32 dataDigest,
        bytes calldata data,
        bytes calldata contractData
    ) external {
        _requireMayCommit(parent);
        Opening memory opening = DataOpening.openCalldata(dataDigest, header, data, contractData);
        _commit(parent, header, opening, contractData);
    }

    /// @inheritdoc ISettlement
    function commitBlobs(
        CommittedBatch calldata parent,
        bytes calldata header,
        bytes32 dataDigest,
        BlobOpening[] calldata blobs,
        bytes calldata contractData
    ) external {
        _requireMayCommit(parent);
        Opening memory opening = DataOpening.openBlobs(dataDigest, header, blobs, contractData);
        _commit(parent, header, opening, contractData);
    }

    /// @dev Who may commit, on top of what, and whether at all.
    function _requireMayCommit(CommittedBatch calldata parent) internal view {
        if (frozen()) revert VenueFrozen();
        // An account with delegated code (EIP-7702) could call from its own code: no code at all.
        if (msg.sender != tx.origin || msg.sender.code.length != 0) {
            revert NotDirectCall(msg.sender);
        }
        if (!parameters.isSequencer(msg.sender)) revert NotSequencer(msg.sender);
        bytes32 parentHash = Batches.hash(parent);
        if (batchHash[committed] != parentHash) revert UnknownBatch(committed, parentHash);
        uint256 pending = committed - finalized;
        if (pending >= pendingMax) revert TooManyPending(pending, pendingMax);
    }

    /// @dev Checks header, requests and payments against the batch before and the inbox; takes the
    /// bond.
    function _commit(
        CommittedBatch calldata parent,
        bytes calldata header,
        Opening memory opening,
        bytes calldata contractData
    ) internal {
        Header.Fields memory fields = Header.decode(header);
        Header.Fields memory before = Header.decode(parent.body.header);
        _checkChain(fields, before);
        _checkTimeAndForm(fields, before);
        uint256 paymentsStart = _checkRequests(fields, before, contractData);
        CommittedBatch memory batch;
        batch.body.header = header;
        batch.body.opening = opening;
        batch.body.sequencer = msg.sender;
        batch.body.committedBlock = uint64(block.number);
        _addPayments(batch, fields, parent.body.paymentsTotal, contractData[paymentsStart:]);
        _take(msg.sender, sequencerBond);
        _store(batch, fields);
    }

    /// @dev The batch follows the one before: number, fork, inbox, roots, epoch.
    function _checkChain(Header.Fields memory fields, Header.Fields memory before) internal view {
        _requireField("number", fields.number, uint256(committed) + 1);
        _requireField("fork", fields.fork, fork);
        _requireField("inboxBefore", fields.inboxBefore, before.inboxAfter);
        _requireField(
            "settlementRootBefore",
            uint256(fields.settlementRootBefore),
            uint256(before.settlementRootAfter)
        );
        _requireField("rootBefore", uint256(fields.rootBefore), uint256(before.rootAfter));
        uint256 epoch = uint256(before.venueEpoch) + (fields.resetSlots ? 1 : 0);
        _requireField("venueEpoch", fields.venueEpoch, epoch);
    }

    /// @dev Times neither run back nor ahead nor lag too far; parameters are L1's; `full` data can
    /// be recomputed: slots are empty, or known because the batch before is `full` and so on, back
    /// to a reset or to genesis.
    function _checkTimeAndForm(Header.Fields memory fields, Header.Fields memory before)
        internal
        view
    {
        uint256 low = block.timestamp > lagMax ? block.timestamp - lagMax : 0;
        if (before.time > low) low = before.time;
        if (fields.time < low || fields.time > block.timestamp) {
            revert WrongTime(fields.time, low, block.timestamp);
        }
        if (!parameters.isAcceptable(fields.parameters)) {
            revert WrongParameters(fields.parameters);
        }
        if (!fields.isDiff && before.isDiff && !fields.resetSlots) {
            revert SlotsUnknown(fields.number);
        }
    }

    /// @dev The requests are those of the inbox, all of them, in order; returns where payments
    /// begin.
    function _checkRequests(
        Header.Fields memory fields,
        Header.Fields memory before,
        bytes calldata contractData
    ) internal view returns (uint256 end) {
        bytes32 hash = inbox.rollingHash(before.inboxAfter);
        uint256 count;
        (hash, count, end) = Requests.absorb(hash, contractData, requestsMax);
        _requireField("inboxAfter", fields.inboxAfter, before.inboxAfter + count);
        // Past the end of the queue the inbox answers 0, which is no hash.
        bytes32 expected = inbox.rollingHash(fields.inboxAfter);
        if (hash != expected) revert WrongRequests(hash, expected);
    }

    /// @dev Tree and sum of the payments. Money of deposits that were not processed pays nobody.
    function _addPayments(
        CommittedBatch memory batch,
        Header.Fields memory fields,
        uint128 paidBefore,
        bytes calldata payments
    ) internal view {
        bytes32 venue = Withdrawals.domain(block.chainid, address(this));
        (bytes32 root, uint256 count, uint256 sum) =
            Withdrawals.absorb(venue, fields.number, payments);
        uint256 total = paidBefore + sum; // < 2^128 + 2^95: both fit
        uint256 deposits = inbox.depositsBefore(fields.inboxAfter);
        if (total > deposits) revert PaymentsTooLarge(total, deposits);
        batch.withdrawalsRoot = root;
        batch.body.paymentsCount = uint32(count);
        batch.body.paymentsTotal = uint128(total);
    }

    /// @dev Puts the batch under its number.
    function _store(CommittedBatch memory batch, Header.Fields memory fields) internal {
        uint32 number = fields.number;
        bytes32 old = batchHash[number];
        if (old != 0) replaced[old] = true;
        bytes32 hash = Batches.hashOfNew(batch);
        batchHash[number] = hash;
        if (fields.isDiff) unproven.add(number);
        committed = number;
        committedCursor = fields.inboxAfter;
        emit BatchCommitted(number, hash, batch);
    }

    // ------------------------------------------------------------------------- challenge and proof

    /// @inheritdoc ISettlement
    function challenge(CommittedBatch calldata batch) external payable {
        (bytes32 hash, Header.Fields memory fields) = _pending(batch);
        uint32 number = fields.number;
        if (msg.value != challengeBond) revert WrongValue(msg.value, challengeBond);
        if (fields.isDiff) revert WrongForm(number);
        if (proven.contains(number)) revert AlreadyProven(number);
        if (contested.contains(number)) revert AlreadyContested(number);
        uint256 lastBlock = uint256(batch.body.committedBlock) + challengeWindow;
        if (block.number > lastBlock) revert WindowClosed(number, block.number, lastBlock);

        contests[hash] = Contest(msg.sender, uint64(block.number));
        contested.add(number);
        // An older contest takes the clock over; the younger one's starts again after it.
        if (contestClock.number == 0 || number < contestClock.number) {
            contestClock.restart(number, proofTime);
        }
        emit BatchChallenged(number, hash, msg.sender);
    }

    /// @inheritdoc ISettlement
    function prove(CommittedBatch calldata batch, address payee, bytes calldata proof) external {
        (bytes32 hash, Header.Fields memory fields) = _pending(batch);
        uint32 number = fields.number;
        if (payee == address(0)) revert ZeroAddress("payee");
        if (proven.contains(number)) revert AlreadyProven(number);
        _requireProof(number, Statement(batch.body.header, batch.body.opening, payee), proof);

        proven.add(number);
        if (fields.isDiff) unproven.remove(number);
        emit BatchProven(number, hash, payee);
        if (contested.contains(number)) _resolve(number, hash, payee);
    }

    /// @dev Ends the contest of a proven batch: half the challenger's bond to the payee, half
    /// burned.
    function _resolve(uint32 number, bytes32 hash, address payee) internal {
        contested.remove(number);
        delete contests[hash];
        if (number == contestClock.number) {
            contestClock.restart(contested.least(number + 1, committed), proofTime);
        }
        _splitBond(payee, challengeBond);
    }

    // ------------------------------------------------------------------------------------ finality

    /// @inheritdoc ISettlement
    function finalize(CommittedBatch[] calldata batches) external {
        for (uint256 place = 0; place < batches.length; ++place) {
            CommittedBatch calldata batch = batches[place];
            (bytes32 hash, Header.Fields memory fields) = _pending(batch);
            if (fields.number != finalized + 1) revert NotNext(fields.number, finalized + 1);
            if (!_mayBecomeFinal(fields, batch.body.committedBlock)) {
                revert NotFinalizable(fields.number);
            }
            finalized = fields.number;
            finalCursor = fields.inboxAfter;
            finalPayments = batch.body.paymentsTotal;
            emit BatchFinalized(fields.number, hash);
            _credit(batch.body.sequencer, sequencerBond);
        }
    }

    /// @dev Whether a batch next in line is proven, or `full` and unchallenged through its window.
    function _mayBecomeFinal(Header.Fields memory fields, uint64 committedBlock)
        internal
        view
        returns (bool)
    {
        if (proven.contains(fields.number)) return true;
        if (fields.isDiff || contested.contains(fields.number)) return false;
        return block.number > uint256(committedBlock) + challengeWindow;
    }

    // -------------------------------------------------------------------------------------- revert

    /// @inheritdoc ISettlement
    function revertContested(CommittedBatch calldata parent, CommittedBatch calldata batch)
        external
    {
        (bytes32 hash, Header.Fields memory fields) = _pending(batch);
        uint32 number = fields.number;
        if (number != contestClock.number) {
            revert NotOldestContested(number, contestClock.number);
        }
        uint256 lastBlock = uint256(contestClock.start) + proofTime;
        if (block.number <= lastBlock) revert TooEarly(block.number, lastBlock);

        address challenger = contests[hash].challenger;
        delete contests[hash];
        _revertFrom(parent, number, hash);
        _credit(challenger, challengeBond);
        _splitBond(challenger, sequencerBond);
    }

    /// @inheritdoc ISettlement
    function revertUnproven(CommittedBatch calldata parent, CommittedBatch calldata batch)
        external
    {
        (bytes32 hash, Header.Fields memory fields) = _pending(batch);
        uint32 number = fields.number;
        uint32 oldest = oldestUnproven();
        if (number != oldest) revert NotOldestUnproven(number, oldest);
        uint256 lastBlock = uint256(batch.body.committedBlock) + proofDeadline;
        if (block.number <= lastBlock) revert TooEarly(block.number, lastBlock);

        _revertFrom(parent, number, hash);
        _burn(sequencerBond);
    }

    /// @dev Takes a batch and its successors back. Its own hash goes: its bond is spent. The hashes
    /// of successors stay until `settleReverted`.
    function _revertFrom(CommittedBatch calldata parent, uint32 number, bytes32 hash) internal {
        bytes32 parentHash = Batches.hash(parent);
        if (batchHash[number - 1] != parentHash) revert UnknownBatch(number - 1, parentHash);
        uint64 cursor = Header.decode(parent.body.header).inboxAfter;
        uint32 last = committed;

        proven.removeRange(number, last);
        contested.removeRange(number, last);
        unproven.removeRange(number, last);
        if (contestClock.number >= number) contestClock.restart(0, proofTime);
        if (committedCursor > cursor) {
            reverts.push(RevertRecord(uint64(block.number), cursor, committedCursor));
        }
        delete batchHash[number];
        committed = number - 1;
        committedCursor = cursor;
        ++fork;
        emit BatchReverted(number, hash, fork, cursor);
    }

    /// @inheritdoc ISettlement
    function settleReverted(CommittedBatch calldata batch) external {
        bytes32 hash = Batches.hash(batch);
        uint32 number = Header.decode(batch.body.header).number;
        bool waits = number > committed && batchHash[number] == hash;
        if (!waits && !replaced[hash]) revert NotReverted(number, hash);

        if (waits) delete batchHash[number];
        else delete replaced[hash];
        address challenger = contests[hash].challenger;
        delete contests[hash];
        emit RevertedSettled(number, hash);
        _credit(batch.body.sequencer, sequencerBond);
        if (challenger != address(0)) _credit(challenger, challengeBond);
    }

    // -------------------------------------------------------------------------------------- freeze

    /// @inheritdoc ISettlement
    function freezeForRequest(uint64 index) external {
        if (index >= inbox.length()) revert NoSuchRequest(index, inbox.length());
        if (index < finalCursor) revert AlreadyFinalRequest(index, finalCursor);
        (, uint64 commitBy, uint64 finalBy, uint256 timesReverted) = requestClocks(index);
        bool waits = index >= committedCursor;
        if (timesReverted > 1) {
            _freeze(FreezeCause.REVERTED_TWICE, index);
        } else if (waits && block.number > commitBy) {
            _freeze(FreezeCause.NOT_COMMITTED, index);
        } else if (block.number > finalBy) {
            _freeze(FreezeCause.NOT_FINAL, index);
        } else {
            revert ClockRunning(
                index, block.number, waits && commitBy < finalBy ? commitBy : finalBy
            );
        }
    }

    /// @inheritdoc ISettlement
    function freezeForHalt(
        CommittedBatch calldata batch,
        uint32 underlying,
        uint256[] calldata elements,
        bytes32[] calldata path,
        bytes32[4] calldata sections
    ) external {
        bytes32 hash = Batches.hash(batch);
        if (batchHash[finalized] != hash) revert UnknownBatch(finalized, hash);
        Header.Fields memory fields = Header.decode(batch.body.header);
        (bytes32 root, uint256 since) =
            leaves.rootOfMarket(elements, underlying, marketDepth, path, sections);
        if (root != fields.settlementRootAfter) revert WrongMarket(underlying);
        bool halted = since != 0 && since != LeafLayout.NEVER_OPENED_SINCE;
        if (!halted || fields.time < since + haltMax) {
            revert HaltTooShort(since, fields.time, haltMax);
        }
        _freeze(FreezeCause.MARKET_HALTED, underlying);
    }

    /// @inheritdoc ISettlement
    function alarm(
        CommittedBatch calldata batch,
        bytes calldata header,
        Opening calldata opening,
        address payee,
        bytes calldata proof
    ) external {
        bytes32 hash = Batches.hash(batch);
        Header.Fields memory fields = Header.decode(batch.body.header);
        uint32 number = fields.number;
        if (number > committed || batchHash[number] != hash) revert UnknownBatch(number, hash);
        if (!proven.contains(number)) revert NotProven(number);
        if (!Contradiction.shows(batch.body, header, opening)) revert NoContradiction(number);
        _requireProof(number, Statement(header, opening, payee), proof);
        _freeze(FreezeCause.ALARM, number);
    }

    /// @dev Ends all commits, for good.
    function _freeze(FreezeCause cause, uint256 detail) internal {
        if (frozen()) revert VenueFrozen();
        freezeCause = cause;
        emit Frozen(cause, detail);
    }

    // --------------------------------------------------------------------------------------- views

    /// @inheritdoc ISettlement
    function available() external view returns (uint256) {
        return inbox.depositsBefore(finalCursor) - finalPayments;
    }

    /// @inheritdoc ISettlement
    function hashOf(CommittedBatch calldata batch)
        external
        pure
        returns (bytes32 bodyHash, bytes32 hash)
    {
        return (keccak256(abi.encode(batch.body)), Batches.hash(batch));
    }

    /// @inheritdoc ISettlement
    function isFinal(uint32 number, bytes32 hash) external view returns (bool) {
        return number <= finalized && batchHash[number] == hash;
    }

    /// @inheritdoc ISettlement
    function isFinalizable(CommittedBatch calldata batch) external view returns (bool) {
        Header.Fields memory fields = Header.decode(batch.body.header);
        return fields.number == finalized + 1 && fields.number <= committed
            && batchHash[fields.number] == Batches.hash(batch)
            && _mayBecomeFinal(fields, batch.body.committedBlock);
    }

    /// @inheritdoc ISettlement
    function isProven(uint32 number) external view returns (bool) {
        return proven.contains(number);
    }

    /// @inheritdoc ISettlement
    function contest(bytes32 hash) external view returns (Contest memory) {
        return contests[hash];
    }

    /// @inheritdoc ISettlement
    function clock() external view returns (uint32 number, uint64 start, uint64 lastBlock) {
        number = contestClock.number;
        start = contestClock.start;
        lastBlock = number == 0 ? 0 : start + proofTime;
    }

    /// @inheritdoc ISettlement
    function oldestUnproven() public view returns (uint32) {
        return unproven.least(finalized + 1, committed);
    }

    /// @inheritdoc ISettlement
    function requestClocks(uint64 index)
        public
        view
        returns (uint64 start, uint64 commitBy, uint64 finalBy, uint256 timesReverted)
    {
        RequestRecord memory record = inbox.request(index);
        start = record.blockNumber;
        // Each of these records cost a sequencer its bond, so they are few.
        for (uint256 place = 0; place < reverts.length; ++place) {
            RevertRecord memory one = reverts[place];
            if (index < one.firstRequest || index >= one.endRequest) continue;
            ++timesReverted;
            start = one.blockNumber;
        }
        bool urgent = record.kind == RequestKind.FORCED_LIQUIDATION;
        commitBy = start + (urgent ? liquidationCommitTime : requestCommitTime);
        finalBy = start + requestFinalTime + _pause(record.blockNumber, start);
    }

    /// @dev Blocks by which contests have moved a request's last block: those since its clock
    /// started, at most `pauseMax` together with those before a revert restarted it.
    function _pause(uint64 queued, uint64 start) internal view returns (uint64) {
        uint64 now_ = uint64(block.number);
        uint64 earlier = contestClock.ran(queued, start, proofTime);
        uint64 since = contestClock.ran(start, now_, proofTime);
        uint64 left = earlier < pauseMax ? pauseMax - earlier : 0;
        return since < left ? since : left;
    }

    /// @inheritdoc ISettlement
    function revertRecord(uint256 place) external view returns (RevertRecord memory) {
        return reverts[place];
    }

    /// @inheritdoc ISettlement
    function revertRecords() external view returns (uint256) {
        return reverts.length;
    }

    /// @inheritdoc ISettlement
    function frozen() public view returns (bool) {
        return freezeCause != FreezeCause.NONE;
    }

    /// @inheritdoc ISettlement
    function concluded() external view returns (bool) {
        return frozen() && committed == finalized;
    }

    // ------------------------------------------------------------------------------------ internal

    /// @dev Hash and header of a batch that is committed, not final and not reverted.
    function _pending(CommittedBatch calldata batch)
        internal
        view
        returns (bytes32 hash, Header.Fields memory fields)
    {
        hash = Batches.hash(batch);
        fields = Header.decode(batch.body.header);
        uint32 number = fields.number;
        if (number > committed || batchHash[number] != hash) revert UnknownBatch(number, hash);
        if (number <= finalized) revert AlreadyFinal(number);
    }

    /// @dev Header of batch 0: version 1, `full`, everything 0 but time, parameters and the roots
    /// after.
    function _genesisHeader(Genesis memory genesis, bytes32 digest)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            abi.encodePacked(uint8(Header.VERSION), uint48(0), genesis.time, uint192(0), digest),
            abi.encode(bytes32(0), bytes32(0), genesis.settlementRoot, genesis.root)
        );
    }

    function _requireProof(uint32 number, Statement memory statement, bytes calldata proof)
        internal
        view
    {
        if (!verifier.verify(statement, proof)) revert InvalidProof(number);
    }

    function _requireField(string memory field, uint256 value, uint256 expected) internal pure {
        if (value != expected) revert WrongHeader(field, value, expected);
    }
}
