// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leaves of the venue's state, found under a settlement root
/// @notice Stateless. Poseidon2 is much code, so it has an address of its own.
interface IStateLeaves {
    /// @notice Fewer elements than any market leaf has.
    error LeafTooShort(uint256 length, uint256 lengthMin);

    /// @notice The settlement root that covers a market leaf with these elements at this place, and
    /// since when the market is halted (unix seconds; 0: it is not, 1: it never opened).
    /// @param elements Layout of `commitment.market_digests`; each below p.
    /// @param underlying Place of the market, below 2^depth.
    /// @param path One digest a level, from the bottom up; as many as the tree has levels.
    /// @param sections Digests of system, markets, instruments, accounts; that of markets is
    /// computed.
    function rootOfMarket(
        uint256[] calldata elements,
        uint256 underlying,
        uint256 depth,
        bytes32[] calldata path,
        bytes32[4] calldata sections
    ) external pure returns (bytes32 root, uint256 haltedSince);
}
