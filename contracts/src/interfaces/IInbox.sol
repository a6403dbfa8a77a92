// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Kinds of requests: the first byte of each, in the order of the specification.
enum RequestKind {
    DEPOSIT,
    FUND_DEPOSIT,
    REGISTER_KEY,
    ALLOW_OWNER,
    FORCED_WITHDRAWAL,
    FORCED_CLOSE,
    FORCED_LIQUIDATION,
    FORCED_CANCEL
}

/// @notice What the contracts keep of a request besides the rolling hash: one word.
struct RequestRecord {
    /// L1 block in which it was queued; its clocks start here.
    uint64 blockNumber;
    RequestKind kind;
    /// Micro-USDC of all deposits up to this request, itself included.
    uint128 depositsTotal;
}

/// @title Requests from L1 to the venue, in one queue that nobody can reorder or skip
/// @notice The law processes every request, in order, at the opening of some batch. So the inbox
/// refuses, before it hashes, what public data have no bytes for: no batch could follow such a one.
/// Out of range are accounts from 2^24, amounts from 2^63, underlyings from 2^8, instrument ids
/// from 2^50, and key elements from p. What is in range and senseless is a proven no-op, or a
/// refund.
///
/// Every request pays `fee()` in wei, which is burned: paid to the operator it would let him fill
/// the queue for nothing and so price users out. The excess of the value sent goes back.
interface IInbox {
    /// @notice A request is in the queue.
    /// @param index Its place, counted from 0.
    /// @param kind Its first byte.
    /// @param request The exact bytes hashed: public_data/requests.py.
    /// @param rollingHash Rolling hash after it: keccak(rolling hash before ‖ request).
    event RequestQueued(
        uint64 indexed index, RequestKind indexed kind, bytes request, bytes32 rollingHash
    );

    /// @notice An account index was given to an owner, by the deposit with this request index.
    event AccountOpened(uint32 indexed account, address indexed owner, uint64 indexed index);

    /// @notice A parameter of the deployment is outside [low, high]. (Fields of requests are
    /// refused by the errors of the library Requests.)
    error OutOfRange(string field, uint256 value, uint256 low, uint256 high);
    /// @notice The account index has not been given out.
    error AccountNotOpened(uint32 account, uint32 nextAccount);
    /// @notice Every account index of this deployment has been given out.
    error AccountsExhausted(uint32 accountsMax);
    error ZeroAddress(string field);
    /// @notice The value sent does not pay the fee.
    error FeeTooLow(uint256 value, uint256 fee);
    /// @notice The sender did not accept the excess of its value.
    error ExcessNotAccepted(address sender, uint256 excess);
    /// @notice The venue is frozen: nobody will process requests.
    error VenueFrozen();
    /// @notice Only the key registry, which knows the owner's will, may send these requests.
    error NotKeyRegistry(address caller);
    /// @notice The venue's holdings with this deposit would exceed what the law can credit.
    error HoldingsTooLarge(uint256 holdings, uint256 holdingsMax);

    /// @notice Deposits from the sender into a new account.
    /// @param owner L1 owner of the account; not zero.
    /// @param amount Micro-USDC, 1 to 2^63 − 1; the sender has approved the vault.
    /// @return account The account's index, 1 and up; the law always opens it.
    /// @return index The request's place in the queue.
    function depositToNewAccount(address owner, uint64 amount)
        external
        payable
        returns (uint32 account, uint64 index);

    /// @notice Deposits from the sender into an account whose index has been given out.
    /// @param account Index.
    /// @param owner Its owner: if it is not, the law pays the amount back to the sender.
    /// @param amount Micro-USDC, 1 to 2^63 − 1; the sender has approved the vault.
    function deposit(uint32 account, address owner, uint64 amount)
        external
        payable
        returns (uint64 index);

    /// @notice Gives capital to the fund of one market; it is not paid back, unless there is no
    /// such market.
    function depositToFund(uint8 underlying, uint64 amount) external payable returns (uint64 index);

    /// @notice Binds a trading key. Only the key registry.
    /// @param owner Whom the key registry has identified.
    /// @param key Five elements below p; they need not be a point of the curve.
    /// @param payer Gets the excess of the value back.
    function registerKey(uint32 account, address owner, uint64[5] calldata key, address payer)
        external
        payable
        returns (uint64 index);

    /// @notice Allows transfers to accounts of another owner (0: to none). Only the key registry.
    function allowOwner(uint32 account, address owner, address allowed, address payer)
        external
        payable
        returns (uint64 index);

    /// @notice Asks that min(amount, what can be withdrawn now) be paid to the sender, who must own
    /// the account.
    function forceWithdrawal(uint32 account, uint64 amount) external payable returns (uint64 index);

    /// @notice Asks that the account's position be closed against the market's fund; the sender
    /// must own the account.
    function forceClose(uint32 account, uint64 instrument) external payable returns (uint64 index);

    /// @notice Anyone asks that an account below maintenance margin be dealt with.
    function forceLiquidation(uint32 account) external payable returns (uint64 index);

    /// @notice Kills every open order of the account; the sender must own it.
    function forceCancel(uint32 account) external payable returns (uint64 index);

    /// @notice Requests ever queued; the index of the next.
    function length() external view returns (uint64);

    /// @notice Rolling hash after the first `count` requests; 0 for none, and for more than exist.
    function rollingHash(uint64 count) external view returns (bytes32);

    /// @notice What is kept of a request; all zero for one that does not exist.
    function request(uint64 index) external view returns (RequestRecord memory);

    /// @notice Micro-USDC of all deposits among the first `count` requests.
    function depositsBefore(uint64 count) external view returns (uint128);

    /// @notice Index that the next new account gets. 0 is the operator's treasury from genesis.
    function nextAccount() external view returns (uint32);

    /// @notice Wei that a request costs now: base fee · (1 + waiting / batch size). Linear in the
    /// queue, so that burying it for d batches costs about base fee · batch size · d² / 2.
    function fee() external view returns (uint256);
}
