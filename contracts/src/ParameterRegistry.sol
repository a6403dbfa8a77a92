// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParameterRegistry} from "./interfaces/IParameterRegistry.sol";
import {ParameterBytes} from "./libraries/ParameterBytes.sol";

/// @title ParameterRegistry
/// @notice See IParameterRegistry.
contract ParameterRegistry is IParameterRegistry {
    uint64 internal constant TIMELOCK_MIN = 30 days;
    uint64 internal constant PREVIOUS_TIME = 1 hours;

    /// @inheritdoc IParameterRegistry
    address public immutable governor;
    address public immutable settlement;
    /// @inheritdoc IParameterRegistry
    uint64 public immutable timelock;

    /// @inheritdoc IParameterRegistry
    bytes32 public current;
    /// @dev Keccak hash of the bytes of the current parameters.
    bytes32 internal currentHash;
    bytes32 internal previousDigest;
    uint64 internal previousUntil;
    bytes32 internal announcedDigest;
    bytes32 internal announcedHash;
    uint64 internal activationTime;
    /// @inheritdoc IParameterRegistry
    bool public tradesForbidden;

    /// @inheritdoc IParameterRegistry
    mapping(address sequencer => bool) public isSequencer;
    /// @notice When an announced sequencer may be added; 0 if it is not announced.
    mapping(address sequencer => uint64) public sequencerTime;

    modifier onlyGovernor() {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        _;
    }

    /// @param settlement_ The settlement contract, predicted: the parameters name it.
    /// @param genesis Bytes of the parameters of the first state.
    constructor(
        address governor_,
        address settlement_,
        uint64 timelock_,
        address[] memory sequencers,
        bytes memory genesis
    ) {
        if (governor_ == address(0)) revert ZeroAddress("governor");
        if (settlement_ == address(0)) revert ZeroAddress("settlement");
        if (timelock_ < TIMELOCK_MIN) revert TimelockTooShort(timelock_, TIMELOCK_MIN);
        governor = governor_;
        settlement = settlement_;
        timelock = timelock_;
        ParameterBytes.Summary memory summary = ParameterBytes.read(genesis);
        _requireVenue(summary, settlement_);
        _activate(summary.digest, genesis);
        for (uint256 place = 0; place < sequencers.length; ++place) {
            _addSequencer(sequencers[place]);
        }
    }

    // ---------------------------------------------------------------------------------- parameters

    /// @inheritdoc IParameterRegistry
    function announceParameters(bytes calldata parameters) external onlyGovernor {
        ParameterBytes.Summary memory summary = ParameterBytes.read(parameters);
        _requireVenue(summary, settlement);
        _void();
        announcedDigest = summary.digest;
        announcedHash = keccak256(parameters);
        activationTime = uint64(block.timestamp) + timelock;
        emit ParametersAnnounced(summary.digest, activationTime, parameters);
    }

    /// @inheritdoc IParameterRegistry
    function voidAnnouncement() external onlyGovernor {
        if (announcedDigest == 0) revert NothingAnnounced();
        _void();
    }

    /// @inheritdoc IParameterRegistry
    function activateParameters(bytes calldata parameters) external {
        if (announcedDigest == 0) revert NothingAnnounced();
        bytes32 hash = keccak256(parameters);
        if (hash != announcedHash) revert NotAnnounced(hash, announcedHash);
        if (block.timestamp < activationTime) revert TooEarly(block.timestamp, activationTime);
        bytes32 digest = announcedDigest;
        announcedDigest = 0;
        announcedHash = 0;
        activationTime = 0;
        _activate(digest, parameters);
    }

    /// @inheritdoc IParameterRegistry
    function removeOracleKey(bytes calldata parameters, uint256 place) external onlyGovernor {
        bytes32 hash = keccak256(parameters);
        if (hash != currentHash) revert NotCurrent(hash, currentHash);
        (uint256 count, uint256 start) = ParameterBytes.keysOf(parameters);
        if (place >= count) revert NoSuchOracleKey(place, count);
        if (count == 1) revert LastOracleKey();
        (bytes memory kept, bytes memory key) =
            ParameterBytes.withoutKey(parameters, count, start, place);
        bytes32 digest = ParameterBytes.read(kept).digest;
        // What is announced may hold the key.
        _void();
        emit OracleKeyRemoved(place, key);
        _activate(digest, kept);
    }

    // ---------------------------------------------------------------------------------- sequencers

    /// @inheritdoc IParameterRegistry
    function announceSequencer(address sequencer) external onlyGovernor {
        if (sequencer == address(0)) revert ZeroAddress("sequencer");
        sequencerTime[sequencer] = uint64(block.timestamp) + timelock;
        emit SequencerAnnounced(sequencer, sequencerTime[sequencer]);
    }

    /// @inheritdoc IParameterRegistry
    function addSequencer(address sequencer) external {
        uint64 time = sequencerTime[sequencer];
        if (time == 0) revert UnknownSequencer(sequencer);
        if (block.timestamp < time) revert TooEarly(block.timestamp, time);
        delete sequencerTime[sequencer];
        _addSequencer(sequencer);
    }

    /// @inheritdoc IParameterRegistry
    function removeSequencer(address sequencer) external onlyGovernor {
        if (!isSequencer[sequencer] && sequencerTime[sequencer] == 0) {
            revert UnknownSequencer(sequencer);
        }
        delete isSequencer[sequencer];
        delete sequencerTime[sequencer];
        emit SequencerRemoved(sequencer);
    }

    /// @inheritdoc IParameterRegistry
    function forbidTrades(bool forbidden) external onlyGovernor {
        tradesForbidden = forbidden;
        emit TradesForbidden(forbidden);
    }

    // --------------------------------------------------------------------------------------- views

    /// @inheritdoc IParameterRegistry
    function isAcceptable(bytes32 digest) external view returns (bool) {
        if (digest == current) return true;
        return digest == previousDigest && block.timestamp <= previousUntil;
    }

    /// @inheritdoc IParameterRegistry
    function previous() external view returns (bytes32 digest, uint64 until) {
        return (previousDigest, previousUntil);
    }

    /// @inheritdoc IParameterRegistry
    function announced() external view returns (bytes32 digest, uint64 time) {
        return (announcedDigest, activationTime);
    }

    // ------------------------------------------------------------------------------------ internal

    /// @dev Makes parameters the current ones; those before stay acceptable for an hour, so that a
    /// batch on its way is not lost. At genesis there were none.
    function _activate(bytes32 digest, bytes memory parameters) internal {
        previousDigest = current;
        previousUntil = current == 0 ? 0 : uint64(block.timestamp) + PREVIOUS_TIME;
        current = digest;
        currentHash = keccak256(parameters);
        emit ParametersActivated(digest, previousDigest, previousUntil, parameters);
    }

    function _void() internal {
        if (announcedDigest == 0) return;
        emit AnnouncementVoided(announcedDigest);
        announcedDigest = 0;
        announcedHash = 0;
        activationTime = 0;
    }

    function _addSequencer(address sequencer) internal {
        if (sequencer == address(0)) revert ZeroAddress("sequencer");
        isSequencer[sequencer] = true;
        emit SequencerAdded(sequencer);
    }

    /// @dev The law refuses a change of chain or contract, so no batch could ever follow.
    function _requireVenue(ParameterBytes.Summary memory summary, address settlement_)
        internal
        view
    {
        if (summary.chainId != block.chainid || summary.settlement != settlement_) {
            revert WrongVenue(summary.chainId, summary.settlement);
        }
    }
}
