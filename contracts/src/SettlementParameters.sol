// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "./interfaces/IInbox.sol";
import {IParameterRegistry} from "./interfaces/IParameterRegistry.sol";
import {ISettlement, SettlementConfig} from "./interfaces/ISettlement.sol";
import {IStateLeaves} from "./interfaces/IStateLeaves.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";

/// @title What is fixed for the life of a settlement contract
/// @notice Fields are explained at SettlementConfig.
abstract contract SettlementParameters is ISettlement {
    uint256 internal constant LAG_MIN = 86_400;

    IInbox public immutable inbox;
    IParameterRegistry public immutable parameters;
    IVerifier public immutable verifier;
    IStateLeaves public immutable leaves;
    uint32 internal immutable lagMax;
    uint32 internal immutable haltMax;
    uint32 internal immutable challengeWindow;
    uint32 internal immutable proofTime;
    uint32 internal immutable proofDeadline;
    uint32 internal immutable requestCommitTime;
    uint32 internal immutable liquidationCommitTime;
    uint32 internal immutable requestFinalTime;
    uint32 internal immutable pauseMax;
    uint32 internal immutable pendingMax;
    uint32 internal immutable requestsMax;
    uint8 internal immutable marketDepth;
    uint128 internal immutable sequencerBond;
    uint128 internal immutable challengeBond;
    uint128 internal immutable provingCost;

    constructor(SettlementConfig memory config_) {
        _checkAddresses(config_);
        _checkTimes(config_);
        inbox = IInbox(config_.inbox);
        parameters = IParameterRegistry(config_.parameters);
        verifier = IVerifier(config_.verifier);
        leaves = IStateLeaves(config_.leaves);
        lagMax = config_.lagMax;
        haltMax = config_.haltMax;
        challengeWindow = config_.challengeWindow;
        proofTime = config_.proofTime;
        proofDeadline = config_.proofDeadline;
        requestCommitTime = config_.requestCommitTime;
        liquidationCommitTime = config_.liquidationCommitTime;
        requestFinalTime = config_.requestFinalTime;
        pauseMax = config_.pauseMax;
        pendingMax = config_.pendingMax;
        requestsMax = config_.requestsMax;
        marketDepth = config_.marketDepth;
        sequencerBond = config_.sequencerBond;
        challengeBond = config_.challengeBond;
        provingCost = config_.provingCost;
    }

    /// @inheritdoc ISettlement
    function config() public view returns (SettlementConfig memory) {
        return SettlementConfig({
            inbox: address(inbox),
            parameters: address(parameters),
            verifier: address(verifier),
            leaves: address(leaves),
            lagMax: lagMax,
            haltMax: haltMax,
            challengeWindow: challengeWindow,
            proofTime: proofTime,
            proofDeadline: proofDeadline,
            requestCommitTime: requestCommitTime,
            liquidationCommitTime: liquidationCommitTime,
            requestFinalTime: requestFinalTime,
            pauseMax: pauseMax,
            pendingMax: pendingMax,
            requestsMax: requestsMax,
            marketDepth: marketDepth,
            sequencerBond: sequencerBond,
            challengeBond: challengeBond,
            provingCost: provingCost
        });
    }

    function _checkAddresses(SettlementConfig memory config_) private pure {
        if (config_.inbox == address(0)) revert ZeroAddress("inbox");
        if (config_.parameters == address(0)) revert ZeroAddress("parameters");
        if (config_.verifier == address(0)) revert ZeroAddress("verifier");
        if (config_.leaves == address(0)) revert ZeroAddress("leaves");
    }

    /// @dev Besides ranges: an operator who commits a request at the last moment, in a batch nobody
    /// contests, has it final in time; and a challenge costs at least two proofs.
    function _checkTimes(SettlementConfig memory config_) private pure {
        _checkRange("lagMax", config_.lagMax, LAG_MIN, type(uint32).max);
        _checkRange("haltMax", config_.haltMax, 1, type(uint32).max);
        _checkRange("challengeWindow", config_.challengeWindow, 1, type(uint32).max);
        _checkRange("proofTime", config_.proofTime, 1, type(uint32).max);
        _checkRange("proofDeadline", config_.proofDeadline, 1, type(uint32).max);
        _checkRange("requestCommitTime", config_.requestCommitTime, 1, type(uint32).max);
        _checkRange(
            "liquidationCommitTime", config_.liquidationCommitTime, 1, config_.requestCommitTime
        );
        _checkRange(
            "requestFinalTime",
            config_.requestFinalTime,
            uint256(config_.requestCommitTime) + config_.challengeWindow + 1,
            type(uint32).max
        );
        _checkRange("pendingMax", config_.pendingMax, 1, 2 ** 16);
        _checkRange("requestsMax", config_.requestsMax, 1, type(uint16).max);
        _checkRange("marketDepth", config_.marketDepth, 0, 8);
        _checkRange("sequencerBond", config_.sequencerBond, 2, type(uint128).max);
        _checkRange(
            "challengeBond",
            config_.challengeBond,
            config_.provingCost == 0 ? 2 : 2 * uint256(config_.provingCost),
            type(uint128).max
        );
    }

    function _checkRange(string memory field, uint256 value, uint256 low, uint256 high)
        private
        pure
    {
        if (value < low || value > high) revert OutOfRange(field, value, low, high);
    }
}
