// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox, RequestKind, RequestRecord} from "./interfaces/IInbox.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Burn} from "./libraries/Burn.sol";
import {Requests} from "./libraries/Requests.sol";

/// @title Inbox
/// @notice See IInbox. Every external function goes: arguments, request, effects, interactions. The
/// encoders of the library refuse what public data cannot say.
contract Inbox is IInbox {
    /// @dev The law's CASH_MAX. While the vault holds no more, no deposit is refused for its size,
    /// so the deposit that opens an account always opens it and the indices given out here are the
    /// law's.
    uint256 internal constant HOLDINGS_MAX = 2 ** 60 - 1;

    IVault public immutable vault;
    ISettlement public immutable settlement;
    address public immutable keyRegistry;
    /// @notice Accounts that the deployment's tree holds, at most 2^24.
    uint32 public immutable accountsMax;
    /// @notice Requests that one batch takes: the unit in which the fee sees the queue.
    uint32 public immutable requestsMax;
    /// @notice Wei for a request while fewer than one batch of them wait.
    uint256 public immutable baseFee;

    /// @inheritdoc IInbox
    uint64 public length;
    /// @inheritdoc IInbox
    uint32 public nextAccount = 1;

    /// @inheritdoc IInbox
    mapping(uint64 count => bytes32) public rollingHash;
    mapping(uint64 index => RequestRecord) internal records;

    /// @dev The addresses are predicted: the contracts refer to each other and none can change.
    constructor(
        address vault_,
        address settlement_,
        address keyRegistry_,
        uint32 accountsMax_,
        uint32 requestsMax_,
        uint256 baseFee_
    ) {
        if (vault_ == address(0)) revert ZeroAddress("vault");
        if (settlement_ == address(0)) revert ZeroAddress("settlement");
        if (keyRegistry_ == address(0)) revert ZeroAddress("keyRegistry");
        _requireRange("accountsMax", accountsMax_, 2, 2 ** 24);
        _requireRange("requestsMax", requestsMax_, 1, type(uint16).max);
        _requireRange("baseFee", baseFee_, 0, type(uint128).max);
        vault = IVault(vault_);
        settlement = ISettlement(settlement_);
        keyRegistry = keyRegistry_;
        accountsMax = accountsMax_;
        requestsMax = requestsMax_;
        baseFee = baseFee_;
    }

    // ------------------------------------------------------------------------------------ deposits

    /// @inheritdoc IInbox
    function depositToNewAccount(address owner, uint64 amount)
        external
        payable
        returns (uint32 account, uint64 index)
    {
        account = nextAccount;
        if (account >= accountsMax) revert AccountsExhausted(accountsMax);
        nextAccount = account + 1;
        index = _deposit(account, owner, amount);
        emit AccountOpened(account, owner, index);
    }

    /// @inheritdoc IInbox
    function deposit(uint32 account, address owner, uint64 amount)
        external
        payable
        returns (uint64 index)
    {
        _requireOpened(account);
        return _deposit(account, owner, amount);
    }

    /// @inheritdoc IInbox
    function depositToFund(uint8 underlying, uint64 amount)
        external
        payable
        returns (uint64 index)
    {
        bytes memory request_ = Requests.fundDeposit(underlying, msg.sender, amount);
        index = _queue(RequestKind.FUND_DEPOSIT, request_, amount, msg.sender);
        vault.receiveDeposit(msg.sender, amount);
    }

    // ----------------------------------------------------------------------------- keys and owners

    /// @inheritdoc IInbox
    function registerKey(uint32 account, address owner, uint64[5] calldata key, address payer)
        external
        payable
        returns (uint64 index)
    {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        _requireOpened(account);
        bytes memory request_ = Requests.registerKey(account, owner, key);
        return _queue(RequestKind.REGISTER_KEY, request_, 0, payer);
    }

    /// @inheritdoc IInbox
    function allowOwner(uint32 account, address owner, address allowed, address payer)
        external
        payable
        returns (uint64 index)
    {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        _requireOpened(account);
        bytes memory request_ = Requests.allowOwner(account, owner, allowed);
        return _queue(RequestKind.ALLOW_OWNER, request_, 0, payer);
    }

    // ----------------------------------------------------------------------------- forced requests

    /// @inheritdoc IInbox
    function forceWithdrawal(uint32 account, uint64 amount)
        external
        payable
        returns (uint64 index)
    {
        _requireOpened(account);
        bytes memory request_ = Requests.forcedWithdrawal(account, msg.sender, amount);
        return _queue(RequestKind.FORCED_WITHDRAWAL, request_, 0, msg.sender);
    }

    /// @inheritdoc IInbox
    function forceClose(uint32 account, uint64 instrument)
        external
        payable
        returns (uint64 index)
    {
        _requireOpened(account);
        bytes memory request_ = Requests.forcedClose(account, msg.sender, instrument);
        return _queue(RequestKind.FORCED_CLOSE, request_, 0, msg.sender);
    }

    /// @inheritdoc IInbox
    function forceLiquidation(uint32 account) external payable returns (uint64 index) {
        _requireOpened(account);
        bytes memory request_ = Requests.forcedLiquidation(account);
        return _queue(RequestKind.FORCED_LIQUIDATION, request_, 0, msg.sender);
    }

    /// @inheritdoc IInbox
    function forceCancel(uint32 account) external payable returns (uint64 index) {
        _requireOpened(account);
        bytes memory request_ = Requests.forcedCancel(account, msg.sender);
        return _queue(RequestKind.FORCED_CANCEL, request_, 0, msg.sender);
    }

    // --------------------------------------------------------------------------------------- views

    /// @inheritdoc IInbox
    function request(uint64 index) external view returns (RequestRecord memory) {
        return records[index];
    }

    /// @inheritdoc IInbox
    function depositsBefore(uint64 count) public view returns (uint128) {
        return count == 0 ? 0 : records[count - 1].depositsTotal;
    }

    /// @inheritdoc IInbox
    function fee() public view returns (uint256) {
        // < 2^128 · 2^64: fits. Committed requests have been queued, so nothing is below zero.
        uint256 waiting = length - settlement.committedCursor();
        return baseFee * (1 + waiting / requestsMax);
    }

    // ------------------------------------------------------------------------------------ internal

    /// @dev Queues a deposit into an account and takes the tokens.
    function _deposit(uint32 account, address owner, uint64 amount)
        internal
        returns (uint64 index)
    {
        if (owner == address(0)) revert ZeroAddress("owner");
        bytes memory request_ = Requests.deposit(account, owner, msg.sender, amount);
        index = _queue(RequestKind.DEPOSIT, request_, amount, msg.sender);
        vault.receiveDeposit(msg.sender, amount);
    }

    /// @dev Hashes a request into the queue, records it, burns the fee and returns the excess. A
    /// reentering payer finds everything written.
    function _queue(RequestKind kind, bytes memory request_, uint64 amount, address payer)
        internal
        returns (uint64 index)
    {
        if (settlement.frozen()) revert VenueFrozen();
        uint256 cost = fee();
        if (msg.value < cost) revert FeeTooLow(msg.value, cost);

        index = length;
        uint128 depositsTotal = depositsBefore(index) + amount;
        if (amount > 0) {
            uint256 holdings = depositsTotal - vault.sent();
            if (holdings > HOLDINGS_MAX) revert HoldingsTooLarge(holdings, HOLDINGS_MAX);
        }
        bytes32 hash = Requests.extend(rollingHash[index], request_);
        records[index] = RequestRecord(uint64(block.number), kind, depositsTotal);
        rollingHash[index + 1] = hash;
        length = index + 1;
        emit RequestQueued(index, kind, request_, hash);

        Burn.burn(cost);
        uint256 excess = msg.value - cost;
        if (excess > 0) {
            (bool accepted,) = payer.call{value: excess}("");
            if (!accepted) revert ExcessNotAccepted(payer, excess);
        }
    }

    /// @dev An index not given out could be opened by its first deposit and taken from its owner.
    function _requireOpened(uint32 account) internal view {
        if (account >= nextAccount) revert AccountNotOpened(account, nextAccount);
    }

    function _requireRange(string memory field, uint256 value, uint256 low, uint256 high)
        internal
        pure
    {
        if (value < low || value > high) revert OutOfRange(field, value, low, high);
    }
}
