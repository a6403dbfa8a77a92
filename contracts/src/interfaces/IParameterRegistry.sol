// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Parameters of the law, sequencers and the emergency lever
/// @notice A change of parameters, or a new sequencer, takes effect at least 30 days after it was
/// announced: longer than leaving takes. Removing an oracle key or a sequencer is immediate.
/// Parameters are published in the bytes of public_data/parameters.py and their digest is computed
/// here, so a digest without bytes, or with other bytes, cannot exist.
interface IParameterRegistry {
    /// @notice New parameters may be activated from a time on; any other announcement is void.
    event ParametersAnnounced(bytes32 indexed digest, uint64 activationTime, bytes parameters);
    /// @notice The announcement was withdrawn, or voided by the removal of an oracle key.
    event AnnouncementVoided(bytes32 indexed digest);
    /// @notice These are the parameters now; the previous ones stay acceptable until a time.
    /// Emitted for the genesis parameters too.
    event ParametersActivated(
        bytes32 indexed digest, bytes32 indexed previous, uint64 previousUntil, bytes parameters
    );
    /// @notice An oracle key was removed; the parameters that follow are activated in the same
    /// call.
    event OracleKeyRemoved(uint256 place, bytes key);
    event SequencerAnnounced(address indexed sequencer, uint64 activationTime);
    event SequencerAdded(address indexed sequencer);
    event SequencerRemoved(address indexed sequencer);
    /// @notice The emergency lever: trades (phase 5 of a round) are forbidden, or allowed again.
    event TradesForbidden(bool forbidden);

    error NotGovernor(address caller);
    error ZeroAddress(string field);
    /// @notice The time lock is shorter than leaving takes.
    error TimelockTooShort(uint256 timelock, uint256 timelockMin);
    error NothingAnnounced();
    /// @notice The bytes are not those of the announced parameters.
    error NotAnnounced(bytes32 hash, bytes32 announcedHash);
    error TooEarly(uint256 time, uint256 activationTime);
    /// @notice The bytes are not those of the current parameters.
    error NotCurrent(bytes32 hash, bytes32 currentHash);
    /// @notice The parameters name another chain or another settlement contract.
    error WrongVenue(uint256 chainId, address settlement);
    error NoSuchOracleKey(uint256 place, uint256 keys);
    /// @notice The law knows no venue without an oracle key.
    error LastOracleKey();
    error UnknownSequencer(address sequencer);

    /// @notice Publishes parameters that may be activated after the time lock. Only the governor.
    /// @param parameters Bytes of all parameters; malformed ones are refused.
    function announceParameters(bytes calldata parameters) external;

    /// @notice Withdraws the announcement. Only the governor.
    function voidAnnouncement() external;

    /// @notice Makes announced parameters the current ones. Anyone, after the time lock.
    function activateParameters(bytes calldata parameters) external;

    /// @notice Removes an oracle key at once; voids an announcement, which might bring it back.
    /// Only the governor.
    /// @param parameters Bytes of the current parameters.
    /// @param place Place of the key in them.
    function removeOracleKey(bytes calldata parameters, uint256 place) external;

    /// @notice Announces a sequencer that may be added after the time lock. Only the governor.
    function announceSequencer(address sequencer) external;

    /// @notice Adds an announced sequencer. Anyone, after the time lock.
    function addSequencer(address sequencer) external;

    /// @notice Removes a sequencer at once, or an announced one. Only the governor. Without any,
    /// batches stop, the clocks of requests run out, and everybody leaves by the escape.
    function removeSequencer(address sequencer) external;

    /// @notice Pulls or releases the emergency lever. Only the governor.
    /// @dev No parameter of the law forbids phase 5 yet, so this is a published order that a node
    /// obeys; no proof depends on it, and no exit is touched by it.
    function forbidTrades(bool forbidden) external;

    /// @notice Whether a batch committed now may be under these parameters: the current ones, or
    /// the previous ones for one hour.
    function isAcceptable(bytes32 digest) external view returns (bool);

    /// @notice Digest of the current parameters.
    function current() external view returns (bytes32);

    /// @notice Digest of the previous parameters, and until when they are acceptable (unix
    /// seconds).
    function previous() external view returns (bytes32 digest, uint64 until);

    /// @notice Digest of announced parameters, and when they may be activated; 0 if none.
    function announced() external view returns (bytes32 digest, uint64 activationTime);

    function isSequencer(address sequencer) external view returns (bool);

    function tradesForbidden() external view returns (bool);

    function governor() external view returns (address);

    /// @notice Seconds between an announcement and its effect.
    function timelock() external view returns (uint64);
}
