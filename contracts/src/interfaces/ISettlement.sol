// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Opening} from "./IVerifier.sol";

/// @notice What is fixed for the life of a deployment. Clocks count L1 blocks, so that an outage of
/// L1 stops them; only header times and time locks count seconds.
struct SettlementConfig {
    address inbox;
    address parameters;
    address verifier;
    /// Checks market leaves against a settlement root (for the freeze after a long halt).
    address leaves;
    /// Seconds by which a header's time may lag behind the L1 block; at least 24 h.
    uint32 lagMax;
    /// Seconds for which a market may be halted before anyone may freeze the venue.
    uint32 haltMax;
    /// Blocks in which a `full` batch may be challenged.
    uint32 challengeWindow;
    /// Blocks a contested batch has for a proof once its clock runs.
    uint32 proofTime;
    /// Blocks a `diff` batch has for a proof.
    uint32 proofDeadline;
    /// Blocks in which a request must be committed.
    uint32 requestCommitTime;
    /// Blocks in which a forced liquidation must be committed.
    uint32 liquidationCommitTime;
    /// Blocks in which a request must be final.
    uint32 requestFinalTime;
    /// Blocks by which contests may delay that, in all.
    uint32 pauseMax;
    /// Batches that may be committed and not final at one time: bounds every loop over them.
    uint32 pendingMax;
    /// Requests of one batch.
    uint32 requestsMax;
    /// Levels of the market tree, for the freeze after a long halt.
    uint8 marketDepth;
    /// Wei locked with each batch.
    uint128 sequencerBond;
    /// Wei locked with each challenge; at least twice the cost of a proof.
    uint128 challengeBond;
    /// Wei that proving a batch and verifying the proof cost.
    uint128 provingCost;
}

/// @notice The first state, readable from L1 alone with the genesis parameters of the registry.
struct Genesis {
    /// Name of the preset: "main" or "minimal".
    string preset;
    /// L1 owner of account 0.
    address treasury;
    uint32 time;
    /// Roots of the state that preset, parameters, treasury and time define. The parameters hold
    /// the settlement contract's address, so the deployer computes them from the predicted address.
    bytes32 settlementRoot;
    bytes32 root;
}

/// @notice A committed batch, all but the root of its payments. Callers supply it from the event
/// `BatchCommitted`; the contract keeps one hash.
struct BatchBody {
    /// The 195 bytes of public_data/header.py.
    bytes header;
    Opening opening;
    /// Whose bond stands behind the batch.
    address sequencer;
    /// L1 block of the commit.
    uint64 committedBlock;
    /// Payments of this batch.
    uint32 paymentsCount;
    /// Micro-USDC of all payments from genesis to this batch.
    uint128 paymentsTotal;
}

/// @notice A committed batch. Its hash is keccak256(abi.encode(keccak256(abi.encode(body)),
/// withdrawalsRoot)), so that a claim needs two words of it.
struct CommittedBatch {
    BatchBody body;
    /// Keccak tree of the payments; 0 for none.
    bytes32 withdrawalsRoot;
}

/// @notice A blob of the commit transaction: the data of one polynomial, opened at z.
struct BlobOpening {
    /// Bytes of data in it.
    uint32 length;
    /// y = P(z).
    uint256 value;
    /// KZG commitment and proof, 48 bytes each.
    bytes commitment;
    bytes proof;
}

/// @notice A challenge that is not resolved.
struct Contest {
    address challenger;
    /// L1 block of the challenge.
    uint64 blockNumber;
}

/// @notice A revert that returned requests to the queue: their clocks start again at its block.
struct RevertRecord {
    uint64 blockNumber;
    /// Requests [firstRequest, endRequest) had been committed.
    uint64 firstRequest;
    uint64 endRequest;
}

/// @title Batches of the venue on L1
/// @notice Each batch states its data form. `full` data are the transactions: anyone can recompute
/// and prove them, and the batch is final after a window without challenge, or at once by a proof.
/// `diff` data are state differences: only a proof makes the batch final, and without one at the
/// deadline it is reverted. `full` follows `diff` only with a reset of slots, which `diff` data do
/// not publish. Proofs come in any order; finality in order of batches.
///
/// Rules that hold at every moment:
/// 1. A state root becomes final only by `finalize`, one batch after the other.
/// 2. Payments of all batches up to any one never exceed the deposits they have processed.
/// 3. The contract's ether is the sum of balances, of `sequencerBond` for each batch that is
/// neither final nor settled after a revert, and of `challengeBond` for each open contest.
/// 4. `fork` rises with every revert and only then; all orders signed before die with it.
interface ISettlement {
    // -------------------------------------------------------------------------------------- events

    /// @notice The venue begins; batch 0 stands for its first state.
    event Began(Genesis genesis, SettlementConfig config);
    /// @notice A batch is committed. The data are in the input of this transaction, or in its
    /// blobs.
    event BatchCommitted(uint32 indexed number, bytes32 indexed batchHash, CommittedBatch batch);
    /// @notice A `full` batch is contested.
    event BatchChallenged(
        uint32 indexed number, bytes32 indexed batchHash, address indexed challenger
    );
    /// @notice A proof was accepted; a contest of the batch is thereby resolved.
    event BatchProven(uint32 indexed number, bytes32 indexed batchHash, address indexed payee);
    /// @notice A batch is final, and its payments may be claimed.
    event BatchFinalized(uint32 indexed number, bytes32 indexed batchHash);
    /// @notice A batch and its successors are reverted: numbers `number` and up are free again, and
    /// requests from `inboxCursor` on are back in the queue.
    event BatchReverted(
        uint32 indexed number, bytes32 indexed batchHash, uint32 newFork, uint64 inboxCursor
    );
    /// @notice The bonds of a reverted successor went back to their owners.
    event RevertedSettled(uint32 indexed number, bytes32 indexed batchHash);
    /// @notice No batch will be committed any more.
    event Frozen(FreezeCause indexed cause, uint256 detail);
    /// @notice A balance of bonds and rewards grew by money sent or by a rule.
    event BalanceAdded(address indexed owner, uint256 amount);
    event BalanceWithdrawn(address indexed owner, uint256 amount);
    event Burned(uint256 amount);

    /// @notice Why the venue is frozen.
    enum FreezeCause {
        /// It is not.
        NONE,
        /// A request was not committed in time; detail: its index.
        NOT_COMMITTED,
        /// A request was not final in time; detail: its index.
        NOT_FINAL,
        /// A request was reverted twice; detail: its index.
        REVERTED_TWICE,
        /// A market was halted too long; detail: the underlying.
        MARKET_HALTED,
        /// Two proofs contradict each other; detail: the batch.
        ALARM
    }

    // -------------------------------------------------------------------------------------- errors

    error ZeroAddress(string field);
    /// @notice A parameter of the deployment is outside [low, high].
    error OutOfRange(string field, uint256 value, uint256 low, uint256 high);
    error VenueFrozen();
    /// @notice Only an account without code that sends the transaction itself may commit: its
    /// calldata are the public data, and a reader of L1 must find them without tracing calls.
    error NotDirectCall(address caller);
    error NotSequencer(address caller);
    /// @notice The batch supplied is not the one committed under its number.
    error UnknownBatch(uint32 number, bytes32 batchHash);
    /// @notice A field of the header is not what it must be here. (What is no header at all is
    /// refused by the errors of the library Header.)
    error WrongHeader(string field, uint256 value, uint256 expected);
    /// @notice Too many batches wait for finality.
    error TooManyPending(uint256 pending, uint256 pendingMax);
    /// @notice Header time outside [time of the batch before, block time], or too far behind it.
    error WrongTime(uint256 time, uint256 low, uint256 high);
    /// @notice The batch is under parameters that are not acceptable now.
    error WrongParameters(bytes32 digest);
    /// @notice `full` after `diff` without a reset of slots: nobody could recompute it.
    error SlotsUnknown(uint32 number);
    /// @notice The requests of the batch are not those of the inbox.
    error WrongRequests(bytes32 rollingHash, bytes32 expected);
    /// @notice Payments would exceed the deposits processed so far.
    error PaymentsTooLarge(uint256 paymentsTotal, uint256 deposits);
    /// @notice A balance is too small.
    error BalanceTooSmall(address owner, uint256 balance, uint256 needed);
    /// @notice The value sent is not the bond.
    error WrongValue(uint256 value, uint256 expected);
    /// @notice Only `full` batches are contested; only `diff` batches have a deadline.
    error WrongForm(uint32 number);
    error AlreadyFinal(uint32 number);
    error AlreadyProven(uint32 number);
    error AlreadyContested(uint32 number);
    error WindowClosed(uint32 number, uint256 blockNumber, uint256 lastBlock);
    /// @notice The verifier did not accept the proof.
    error InvalidProof(uint32 number);
    error NotNext(uint32 number, uint32 expected);
    error NotFinalizable(uint32 number);
    error NotOldestContested(uint32 number, uint32 oldest);
    /// @notice An older `diff` batch is unproven: that one is reverted, and takes this one along.
    error NotOldestUnproven(uint32 number, uint32 oldest);
    error TooEarly(uint256 blockNumber, uint256 lastBlock);
    /// @notice The batch is not a reverted one, or its bonds have gone back.
    error NotReverted(uint32 number, bytes32 batchHash);
    /// @notice The two statements do not contradict each other.
    error NoContradiction(uint32 number);
    error NotProven(uint32 number);
    error AlreadyFinalRequest(uint64 index, uint64 finalCursor);
    error NoSuchRequest(uint64 index, uint64 length);
    /// @notice The request's clocks have not run out; the earliest block at which one will have.
    error ClockRunning(uint64 index, uint256 blockNumber, uint256 lastBlock);
    /// @notice The market is not part of the last final state.
    error WrongMarket(uint32 underlying);
    /// @notice By the time of the last final state the market is not halted, or not for long
    /// enough.
    error HaltTooShort(uint256 since, uint256 time, uint256 haltMax);
    error SendFailed(address to, uint256 amount);

    // ----------------------------------------------------------------------------- life of a batch

    /// @notice Commits the next batch with its data in calldata. Only a sequencer, directly.
    /// @param parent The last committed batch.
    /// @param header 195 bytes.
    /// @param dataDigest D.
    /// @param data The bound data; cut here into polynomials of 126,976 bytes and a rest.
    /// @param contractData Requests with outcomes, and payments: public_data/calldata.py.
    function commitCalldata(
        CommittedBatch calldata parent,
        bytes calldata header,
        bytes32 dataDigest,
        bytes calldata data,
        bytes calldata contractData
    ) external;

    /// @notice Commits the next batch with its data in the blobs of this transaction, in order.
    /// @param blobs All but the last hold 126,976 bytes of data, the last at least one.
    function commitBlobs(
        CommittedBatch calldata parent,
        bytes calldata header,
        bytes32 dataDigest,
        BlobOpening[] calldata blobs,
        bytes calldata contractData
    ) external;

    /// @notice Contests a `full` batch within its window; the value is the bond. It is lost to the
    /// prover if a proof comes in time, and returned otherwise, with half the sequencer's bond.
    function challenge(CommittedBatch calldata batch) external payable;

    /// @notice Proves a batch. Anyone; the payee is a public value of the proof and gets half the
    /// bond of a challenger, if there is one. The other half is burned.
    function prove(CommittedBatch calldata batch, address payee, bytes calldata proof) external;

    /// @notice Makes the next batches final, in order: proven ones, and `full` ones whose window
    /// has passed without a challenge. Anyone. Their bonds are added to the sequencers' balances.
    function finalize(CommittedBatch[] calldata batches) external;

    /// @notice Reverts the oldest contested batch, whose clock has run out, with its successors.
    /// Half the sequencer's bond goes to the challenger, half is burned.
    /// @param parent The batch before it.
    function revertContested(CommittedBatch calldata parent, CommittedBatch calldata batch)
        external;

    /// @notice Reverts the oldest unproven `diff` batch after its deadline, with its successors.
    /// The sequencer's bond is burned: there is no challenger, and a reward would go back to
    /// whoever let the deadline pass.
    /// @param parent The batch before it.
    function revertUnproven(CommittedBatch calldata parent, CommittedBatch calldata batch) external;

    /// @notice Returns the bonds of a batch that was reverted as a successor: the sequencer's and,
    /// if it was contested, the challenger's. Anyone.
    function settleReverted(CommittedBatch calldata batch) external;

    // ------------------------------------------------------------------------------------ freezing

    /// @notice Freezes the venue because a request was not committed or final in time, or was
    /// reverted twice. Anyone.
    function freezeForRequest(uint64 index) external;

    /// @notice Freezes the venue because, by the last final state, a market has been halted too
    /// long. Anyone. A market that never opened has no position and is no reason.
    /// @param batch The last final batch.
    /// @param underlying Place of the market.
    /// @param elements The market leaf: layout of `commitment.market_digests`.
    /// @param path Digests from the bottom up.
    /// @param sections Digests of system, markets, instruments, accounts; that of markets is
    /// ignored.
    function freezeForHalt(
        CommittedBatch calldata batch,
        uint32 underlying,
        uint256[] calldata elements,
        bytes32[] calldata path,
        bytes32[4] calldata sections
    ) external;

    /// @notice Freezes the venue because the verifier accepts a contradiction: a second proof for
    /// the data and the header of a proven batch, up to the roots after it, leads to another state.
    /// @param batch A proven batch that is not reverted.
    /// @param header The other header.
    /// @param opening The other opening; the same D.
    function alarm(
        CommittedBatch calldata batch,
        bytes calldata header,
        Opening calldata opening,
        address payee,
        bytes calldata proof
    ) external;

    // --------------------------------------------------------------------------------------- money

    /// @notice Adds ether to the sender's balance, from which bonds of batches are taken.
    function addBalance() external payable;

    /// @notice Sends ether of the sender's balance to it.
    function withdrawBalance(uint256 amount) external;

    // --------------------------------------------------------------------------------------- views

    /// @notice Number of the last committed batch; the next is one more.
    function committed() external view returns (uint32);

    /// @notice Number of the last final batch.
    function finalized() external view returns (uint32);

    /// @notice Fork that the next batch must carry.
    function fork() external view returns (uint32);

    /// @notice Requests processed by committed batches.
    function committedCursor() external view returns (uint64);

    /// @notice Requests processed by final batches.
    function finalCursor() external view returns (uint64);

    /// @notice Micro-USDC of the payments of all final batches.
    function finalPayments() external view returns (uint128);

    /// @notice Micro-USDC that belong to accounts and funds by the last final state: deposits it
    /// has processed − payments of final batches, claimed or not. The vault holds at least so much
    /// on top of unprocessed deposits and unclaimed final payments; what an escape can share out.
    function available() external view returns (uint256);

    /// @notice Hash of the batch under a number. Meaningful up to `committed()`.
    function batchHash(uint32 number) external view returns (bytes32);

    /// @notice Both hashes of a batch: of its body, which a claim shows, and of all of it.
    function hashOf(CommittedBatch calldata batch)
        external
        pure
        returns (bytes32 bodyHash, bytes32 hash);

    /// @notice Whether a batch of this hash is final under this number.
    function isFinal(uint32 number, bytes32 hash) external view returns (bool);

    /// @notice Whether `finalize` would accept this batch as the next one.
    function isFinalizable(CommittedBatch calldata batch) external view returns (bool);

    /// @notice Whether a committed batch has been proven.
    function isProven(uint32 number) external view returns (bool);

    /// @notice The open contest of a batch; zero if there is none.
    function contest(bytes32 hash) external view returns (Contest memory);

    /// @notice The contest whose clock runs: the oldest contested batch (0: none), the block at
    /// which its clock started and its last block. After that anyone may revert the batch, and
    /// until somebody does a proof still counts: it shows that the batch is right.
    function clock() external view returns (uint32 number, uint64 start, uint64 lastBlock);

    /// @notice The oldest `diff` batch without a proof; 0 if there is none.
    function oldestUnproven() external view returns (uint32);

    /// @notice Block at which a request's clocks started (its own, or that of the revert that
    /// returned it), the last block for it to be committed and to be final, and how often it was
    /// reverted. A last block already met is still given.
    function requestClocks(uint64 index)
        external
        view
        returns (uint64 start, uint64 commitBy, uint64 finalBy, uint256 reverts);

    /// @notice Reverts that returned requests to the queue.
    function revertRecord(uint256 place) external view returns (RevertRecord memory);

    function revertRecords() external view returns (uint256);

    /// @notice Why the venue is frozen; NONE if it is not.
    function freezeCause() external view returns (FreezeCause);

    function frozen() external view returns (bool);

    /// @notice Frozen, and every committed batch is final or reverted: the last final state is the
    /// last of all.
    function concluded() external view returns (bool);

    /// @notice Ether of an owner in this contract that is not locked.
    function balances(address owner) external view returns (uint256);

    function config() external view returns (SettlementConfig memory);
}
