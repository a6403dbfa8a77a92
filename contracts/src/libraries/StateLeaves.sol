// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafLayout} from "../rendered/LeafLayout.sol";
import {Goldilocks} from "./Goldilocks.sol";
import {Poseidon2} from "./Poseidon2.sol";

/// @title Leaves of the venue's state under its settlement root
/// @notice settlement root = H(system, markets, instruments, accounts); a leaf is part of it by a
/// path
/// in its section's tree and the digests of the other three. Definition: spec/inclusion.py,
/// layout.py.
/// Depths come from the deployment's preset, never from the caller: a node must not pass as a leaf.
library StateLeaves {
    /// @notice The parts of the settlement root, in its order.
    enum Section {
        SYSTEM,
        MARKETS,
        INSTRUMENTS,
        ACCOUNTS
    }

    error WrongDepth(uint256 length, uint256 depth);

    /// @notice The settlement root that an account's leaf implies.
    /// @param elements The leaf: 16 elements, then three a position (layout.account_elements).
    /// @param path Siblings in the account tree from the bottom up.
    /// @param sections The four sections; that of accounts is computed, not read.
    /// @param depth Levels of the account tree.
    function rootOfAccount(
        uint256[] memory elements,
        uint256 index,
        bytes32[] calldata path,
        bytes32[4] memory sections,
        uint256 depth
    ) internal pure returns (bytes32) {
        bytes32 leaf = Poseidon2.hash(LeafLayout.ACCOUNT_TAG, elements);
        return rootOfLeaf(leaf, index, path, sections, Section.ACCOUNTS, depth);
    }

    /// @notice The settlement root that a market's leaf implies.
    /// @param elements The leaf: the digests of four snapshots (16 elements), halted since,
    /// agreeing
    /// snapshots, concentration, then the fund (commitment.market_digests).
    function rootOfMarket(
        uint256[] memory elements,
        uint256 underlying,
        bytes32[] calldata path,
        bytes32[4] memory sections,
        uint256 depth
    ) internal pure returns (bytes32) {
        bytes32 leaf = Poseidon2.hash(LeafLayout.MARKET_TAG, elements);
        return rootOfLeaf(leaf, underlying, path, sections, Section.MARKETS, depth);
    }

    /// @dev The settlement root that a leaf's digest implies.
    function rootOfLeaf(
        bytes32 leaf,
        uint256 index,
        bytes32[] calldata path,
        bytes32[4] memory sections,
        Section section,
        uint256 depth
    ) private pure returns (bytes32) {
        if (path.length != depth) revert WrongDepth(path.length, depth);
        sections[uint256(section)] = Poseidon2.rootFromPath(leaf, index, path);
        return Poseidon2.hash(LeafLayout.SETTLEMENT_TAG, elementsOf(sections));
    }

    /// @dev The sixteen elements of four digests.
    function elementsOf(bytes32[4] memory digests)
        private
        pure
        returns (uint256[] memory elements)
    {
        elements = new uint256[](16);
        for (uint256 place = 0; place < 4; ++place) {
            uint256 lanes = Goldilocks.lanesOf(digests[place]);
            for (uint256 k = 0; k < 4; ++k) {
                elements[4 * place + k] = uint64(lanes >> (192 - 64 * k));
            }
        }
    }
}
