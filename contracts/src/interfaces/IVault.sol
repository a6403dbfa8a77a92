// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One payment that a batch owes on L1.
struct Payment {
    /// Account index; 2^32 − 1 for a deposit that is paid back.
    uint32 account;
    address recipient;
    /// Micro-USDC.
    uint64 amount;
}

/// @title Collateral of the venue
/// @notice Tokens come in through the inbox only and leave by claims on final batches only. Nobody
/// can move them otherwise: there is no owner, no upgrade and no sweep. Payments are pulled: a
/// recipient that cannot be paid delays nobody.
///
/// While the verifier is young, a deployment limits what leaves in a day: the allowance refills
/// evenly. What exceeds it waits in a queue, paid in order and in parts: delayed, never lost.
interface IVault {
    /// @notice A deposit has arrived.
    event Received(address indexed sender, uint64 amount);
    /// @notice A claim was accepted; `queued` of it wait for allowance.
    event Claimed(
        uint32 indexed number,
        uint32 indexed index,
        uint32 account,
        address indexed recipient,
        uint64 amount,
        uint64 queued
    );
    /// @notice Tokens were sent from the queue.
    event Released(address indexed recipient, uint64 amount);
    /// @notice A queued payment could not be sent; its recipient may collect it.
    event SetAside(address indexed recipient, uint64 amount);
    /// @notice A payment that had been set aside was sent.
    event Collected(address indexed recipient, uint256 amount);

    error NotInbox(address caller);
    error ZeroAddress(string field);
    /// @notice A parameter of the deployment is outside [low, high].
    error OutOfRange(string field, uint256 value, uint256 low, uint256 high);
    /// @notice The token did not move exactly the amount (it takes a fee, or lies).
    error WrongAmountReceived(uint256 received, uint256 amount);
    /// @notice The token refused to move.
    error TransferFailed(address token, address to, uint256 amount);
    /// @notice No final batch of this number has this hash.
    error NotFinal(uint32 number, bytes32 batchHash);
    /// @notice The payment is not at this index under the withdrawals' root.
    error WrongPath(uint32 number, uint32 index);
    error AlreadyClaimed(uint32 number, uint32 index);
    error NothingToCollect(address recipient);
    error QueueEmpty();
    error AllowanceUsedUp(uint256 availableAt);

    /// @notice Takes a deposit from its sender, who has approved this contract. Only the inbox.
    function receiveDeposit(address sender, uint64 amount) external;

    /// @notice Pays a payment of a final batch to its recipient. Anyone may call.
    /// @param number The batch.
    /// @param bodyHash keccak256(abi.encode(body)) of the committed batch.
    /// @param withdrawalsRoot Its Keccak tree of payments.
    /// @param payment What is owed.
    /// @param index Place of the payment.
    /// @param path Siblings from the bottom up.
    function claim(
        uint32 number,
        bytes32 bodyHash,
        bytes32 withdrawalsRoot,
        Payment calldata payment,
        uint32 index,
        bytes32[] calldata path
    ) external;

    /// @notice Pays queued claims in order, as the allowance permits. Anyone may call.
    /// @param count Payments to finish at most.
    /// @return finished How many left the queue.
    function release(uint256 count) external returns (uint256 finished);

    /// @notice Sends the caller what could not be sent to it before.
    function collect() external;

    /// @notice Whether a payment has been claimed.
    function isClaimed(uint32 number, uint32 index) external view returns (bool);

    /// @notice The collateral token; 6 decimals.
    function token() external view returns (address);

    /// @notice Micro-USDC ever received in deposits.
    function received() external view returns (uint128);

    /// @notice Micro-USDC ever claimed, sent or not.
    function claimed() external view returns (uint128);

    /// @notice Micro-USDC ever sent. received − sent is what the vault holds.
    function sent() external view returns (uint128);

    /// @notice received − sent.
    function holdings() external view returns (uint256);

    /// @notice Micro-USDC that may leave at this moment.
    function allowance() external view returns (uint256);

    /// @notice Payments in the queue: those from `head` to `tail` − 1.
    function queue() external view returns (uint64 head, uint64 tail);

    /// @notice A payment in the queue, with what is still to be sent.
    function queued(uint64 place) external view returns (address recipient, uint64 amount);

    /// @notice What a recipient may collect.
    function setAside(address recipient) external view returns (uint256);
}
