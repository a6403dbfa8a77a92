// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "./interfaces/ISettlement.sol";
import {IVault, Payment} from "./interfaces/IVault.sol";
import {Batches} from "./libraries/Batches.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {IERC20, Token} from "./libraries/Token.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";

/// @title Vault
/// @notice See IVault. Every external function goes: checks, effects, event, tokens.
contract Vault is IVault {
    using Bitmap for Bitmap.Set;

    /// @notice A payment that waits for allowance.
    struct Queued {
        address recipient;
        uint64 amount;
    }

    uint256 internal constant DAY = 86_400;
    /// @dev Below it a caller could starve a transfer of gas and have a payment set aside.
    uint256 internal constant TRANSFER_GAS = 300_000;

    /// @inheritdoc IVault
    address public immutable token;
    address public immutable inbox;
    ISettlement public immutable settlement;
    /// @notice Micro-USDC that may leave in a day, and at once after a quiet day.
    uint128 public immutable outflowLimit;
    /// @dev keccak("novate withdrawal" ‖ chain id ‖ settlement contract): first word of every leaf.
    bytes32 internal immutable withdrawalDomain;

    /// @inheritdoc IVault
    uint128 public received;
    /// @inheritdoc IVault
    uint128 public claimed;
    /// @inheritdoc IVault
    uint128 public sent;
    uint128 internal allowanceLeft;
    uint64 internal allowanceTime;
    uint64 internal queueHead;
    uint64 internal queueTail;

    /// @inheritdoc IVault
    mapping(uint64 place => Queued) public queued;
    /// @inheritdoc IVault
    mapping(address recipient => uint256) public setAside;
    mapping(uint32 number => Bitmap.Set) internal claims;

    /// @dev The addresses are predicted: the contracts refer to each other and none can change.
    constructor(address token_, address inbox_, address settlement_, uint128 outflowLimit_) {
        if (token_ == address(0)) revert ZeroAddress("token");
        if (inbox_ == address(0)) revert ZeroAddress("inbox");
        if (settlement_ == address(0)) revert ZeroAddress("settlement");
        if (outflowLimit_ == 0) revert OutOfRange("outflowLimit", 0, 1, type(uint128).max);
        token = token_;
        inbox = inbox_;
        settlement = ISettlement(settlement_);
        outflowLimit = outflowLimit_;
        withdrawalDomain = Withdrawals.domain(block.chainid, settlement_);
        allowanceLeft = outflowLimit_;
        allowanceTime = uint64(block.timestamp);
    }

    /// @inheritdoc IVault
    function receiveDeposit(address sender, uint64 amount) external {
        if (msg.sender != inbox) revert NotInbox(msg.sender);
        received += amount;
        emit Received(sender, amount);
        uint256 before = IERC20(token).balanceOf(address(this));
        if (!Token.tryPull(token, sender, amount)) {
            revert TransferFailed(token, address(this), amount);
        }
        uint256 arrived = IERC20(token).balanceOf(address(this)) - before;
        // Stale on purpose: a deposit nested in the token's call makes this one revert, and a
        // nested deposit and payment that cancel out are each in the books.
        // slither-disable-next-line reentrancy-balance
        if (arrived != amount) revert WrongAmountReceived(arrived, amount);
    }

    /// @inheritdoc IVault
    function claim(
        uint32 number,
        bytes32 bodyHash,
        bytes32 withdrawalsRoot,
        Payment calldata payment,
        uint32 index,
        bytes32[] calldata path
    ) external {
        bytes32 batchHash = Batches.join(bodyHash, withdrawalsRoot);
        if (!settlement.isFinal(number, batchHash)) revert NotFinal(number, batchHash);
        bytes32 leaf = Withdrawals.leaf(
            withdrawalDomain, payment.account, payment.recipient, payment.amount, number, index
        );
        if (!Withdrawals.verify(withdrawalsRoot, leaf, index, path)) {
            revert WrongPath(number, index);
        }
        if (claims[number].contains(index)) revert AlreadyClaimed(number, index);

        claims[number].add(index);
        claimed += payment.amount;
        // Who waits already comes first.
        uint256 now_ = queueHead == queueTail ? _min(payment.amount, allowance()) : 0;
        uint64 later = uint64(payment.amount - now_);
        if (later > 0) queued[queueTail++] = Queued(payment.recipient, later);
        _use(now_);
        emit Claimed(number, index, payment.account, payment.recipient, payment.amount, later);
        if (now_ > 0 && !Token.tryTransfer(token, payment.recipient, now_)) {
            revert TransferFailed(token, payment.recipient, now_);
        }
    }

    /// @inheritdoc IVault
    function release(uint256 count) external returns (uint256 finished) {
        if (queueHead == queueTail) revert QueueEmpty();
        _requireAllowance();
        while (finished < count && queueHead != queueTail && allowance() > 0) {
            if (gasleft() < TRANSFER_GAS) break;
            if (_releaseOne(queueHead)) ++finished;
        }
    }

    /// @inheritdoc IVault
    function collect() external {
        uint256 owed = setAside[msg.sender];
        if (owed == 0) revert NothingToCollect(msg.sender);
        _requireAllowance();
        uint256 amount = _min(owed, allowance());
        setAside[msg.sender] = owed - amount;
        _use(amount);
        emit Collected(msg.sender, amount);
        if (!Token.tryTransfer(token, msg.sender, amount)) {
            revert TransferFailed(token, msg.sender, amount);
        }
    }

    // --------------------------------------------------------------------------------------- views

    /// @inheritdoc IVault
    function isClaimed(uint32 number, uint32 index) external view returns (bool) {
        return claims[number].contains(index);
    }

    /// @inheritdoc IVault
    function holdings() public view returns (uint256) {
        return received - sent;
    }

    /// @inheritdoc IVault
    function allowance() public view returns (uint256) {
        // Rounded down: whoever calls in every block costs others less than a unit a call.
        uint256 refilled = (block.timestamp - allowanceTime) * outflowLimit / DAY;
        return _min(outflowLimit, allowanceLeft + refilled);
    }

    /// @inheritdoc IVault
    function queue() external view returns (uint64 head, uint64 tail) {
        return (queueHead, queueTail);
    }

    // ------------------------------------------------------------------------------------ internal

    /// @dev Sends of the queue's first payment what the allowance permits; true if it left the
    /// queue. One that the token refuses to send is set aside, so that it delays nobody.
    function _releaseOne(uint64 place) internal returns (bool) {
        Queued memory payment = queued[place];
        uint256 amount = _min(payment.amount, allowance());
        bool whole = amount == payment.amount;
        // Effects first, as if it will be sent; undone below if it is not.
        if (whole) {
            delete queued[place];
            queueHead = place + 1;
        } else {
            queued[place].amount = uint64(payment.amount - amount);
        }
        uint128 allowanceBefore = uint128(allowance());
        _use(amount);
        if (Token.tryTransfer(token, payment.recipient, amount)) {
            emit Released(payment.recipient, uint64(amount));
            return whole;
        }
        sent -= uint128(amount);
        allowanceLeft = allowanceBefore;
        if (!whole) {
            delete queued[place];
            queueHead = place + 1;
        }
        setAside[payment.recipient] += payment.amount;
        emit SetAside(payment.recipient, payment.amount);
        return true;
    }

    /// @dev Takes what is sent off the allowance.
    function _use(uint256 amount) internal {
        allowanceLeft = uint128(allowance() - amount);
        allowanceTime = uint64(block.timestamp);
        sent += uint128(amount);
    }

    function _requireAllowance() internal view {
        // The next second in which at least one unit has been refilled.
        if (allowance() == 0) {
            revert AllowanceUsedUp(allowanceTime + (DAY + outflowLimit - 1) / outflowLimit);
        }
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }
}
