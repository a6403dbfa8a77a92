// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "./interfaces/IInbox.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";

/// @title KeyRegistry
/// @notice See IKeyRegistry. It keeps nonces only: which key an account has is the venue's state.
contract KeyRegistry is IKeyRegistry {
    bytes32 internal constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 internal constant REGISTER_KEY_TYPE = keccak256(
        "RegisterKey(address owner,uint32 account,uint64[5] key,uint256 nonce,uint256 deadline)"
    );
    bytes32 internal constant ALLOW_OWNER_TYPE = keccak256(
        "AllowOwner(address owner,uint32 account,address allowed,uint256 nonce,uint256 deadline)"
    );
    /// @dev Half the order of secp256k1: of the two s that a signature has, the lower one passes.
    uint256 internal constant LOWER_S_MAX =
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    IInbox public immutable inbox;

    /// @inheritdoc IKeyRegistry
    mapping(address owner => uint256) public nonces;

    constructor(address inbox_) {
        if (inbox_ == address(0)) revert ZeroAddress("inbox");
        inbox = IInbox(inbox_);
    }

    /// @inheritdoc IKeyRegistry
    function registerKey(uint32 account, uint64[5] calldata key)
        external
        payable
        returns (uint64 index)
    {
        return _registerKey(msg.sender, account, key);
    }

    /// @inheritdoc IKeyRegistry
    function registerKeyFor(
        address owner,
        uint32 account,
        uint64[5] calldata key,
        uint256 deadline,
        bytes calldata signature
    ) external payable returns (uint64 index) {
        // An array is hashed as its elements, each padded to a word: EIP-712, encodeData.
        bytes32 keyHash = keccak256(abi.encode(key));
        uint256 nonce = nonces[owner];
        bytes32 structHash =
            keccak256(abi.encode(REGISTER_KEY_TYPE, owner, account, keyHash, nonce, deadline));
        _useSignature(owner, nonce, deadline, structHash, signature);
        return _registerKey(owner, account, key);
    }

    /// @inheritdoc IKeyRegistry
    function allowOwner(uint32 account, address allowed) external payable returns (uint64 index) {
        return _allowOwner(msg.sender, account, allowed);
    }

    /// @inheritdoc IKeyRegistry
    function allowOwnerFor(
        address owner,
        uint32 account,
        address allowed,
        uint256 deadline,
        bytes calldata signature
    ) external payable returns (uint64 index) {
        uint256 nonce = nonces[owner];
        bytes32 structHash =
            keccak256(abi.encode(ALLOW_OWNER_TYPE, owner, account, allowed, nonce, deadline));
        _useSignature(owner, nonce, deadline, structHash, signature);
        return _allowOwner(owner, account, allowed);
    }

    /// @inheritdoc IKeyRegistry
    function cancelNonce() external {
        ++nonces[msg.sender];
    }

    /// @inheritdoc IKeyRegistry
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPE,
                keccak256("Novate KeyRegistry"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    /// @dev Sends a key to the inbox; the excess of the value goes back to the caller.
    function _registerKey(address owner, uint32 account, uint64[5] calldata key)
        internal
        returns (uint64 index)
    {
        index = inbox.registerKey{value: msg.value}(account, owner, key, msg.sender);
        emit KeyRegistered(account, owner, key, index);
    }

    /// @dev Sends an entry of the allow-list to the inbox; the excess goes back to the caller.
    function _allowOwner(address owner, uint32 account, address allowed)
        internal
        returns (uint64 index)
    {
        index = inbox.allowOwner{value: msg.value}(account, owner, allowed, msg.sender);
        emit OwnerAllowed(account, owner, allowed, index);
    }

    /// @dev Uses up the owner's nonce, if the signature is the owner's, over this message, and in
    /// time.
    function _useSignature(
        address owner,
        uint256 nonce,
        uint256 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) internal {
        if (block.timestamp > deadline) {
            revert Expired(deadline, block.timestamp);
        }
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domainSeparator(), structHash));
        if (owner == address(0) || _signer(digest, signature) != owner) {
            revert InvalidSignature(owner, nonce);
        }
        nonces[owner] = nonce + 1;
    }

    /// @dev Who signed the digest; 0 for a signature that is none or is not the lower one of its
    /// pair.
    function _signer(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > LOWER_S_MAX) return address(0);
        return ecrecover(digest, uint8(signature[64]), r, s);
    }
}
