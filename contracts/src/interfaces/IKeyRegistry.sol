// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Trading keys and the transfer allow-list, by the will of an account's L1 owner
/// @notice The owner sends the transaction, or signs EIP-712 typed data that anyone may send and
/// pay for. Each request goes into the inbox, and the law obeys it if the owner owns the account:
/// what is bound here overrides a key rotated on L2. Contracts as owners send for themselves.
///
/// EIP-712 domain: name "Novate KeyRegistry", version "1", chainId, verifyingContract.
/// RegisterKey(address owner,uint32 account,uint64[5] key,uint256 nonce,uint256 deadline)
/// AllowOwner(address owner,uint32 account,address allowed,uint256 nonce,uint256 deadline)
interface IKeyRegistry {
    /// @notice A key was sent to the inbox as request `index`.
    event KeyRegistered(
        uint32 indexed account, address indexed owner, uint64[5] key, uint64 indexed index
    );
    /// @notice An entry of the allow-list was sent to the inbox as request `index`.
    event OwnerAllowed(
        uint32 indexed account, address indexed owner, address allowed, uint64 indexed index
    );

    error ZeroAddress(string field);
    /// @notice The signature's deadline (unix seconds) has passed.
    error Expired(uint256 deadline, uint256 time);
    /// @notice The signature is malleable, malformed, or not of the owner over its current nonce.
    error InvalidSignature(address owner, uint256 nonce);

    /// @notice Binds a trading key to an account of the sender.
    /// @param key Five elements below p.
    function registerKey(uint32 account, uint64[5] calldata key)
        external
        payable
        returns (uint64 index);

    /// @notice Binds a trading key by the owner's signature over its current nonce.
    /// @param signature r ‖ s ‖ v, 65 bytes, s in the lower half.
    function registerKeyFor(
        address owner,
        uint32 account,
        uint64[5] calldata key,
        uint256 deadline,
        bytes calldata signature
    ) external payable returns (uint64 index);

    /// @notice Allows transfers from an account of the sender to accounts of another owner (0:
    /// none).
    function allowOwner(uint32 account, address allowed) external payable returns (uint64 index);

    /// @notice Allows transfers by the owner's signature over its current nonce.
    function allowOwnerFor(
        address owner,
        uint32 account,
        address allowed,
        uint256 deadline,
        bytes calldata signature
    ) external payable returns (uint64 index);

    /// @notice Uses up the sender's nonce, which voids what it has signed and nobody has sent.
    function cancelNonce() external;

    /// @notice The nonce that an owner's next signature must carry.
    function nonces(address owner) external view returns (uint256);

    /// @notice EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);
}
