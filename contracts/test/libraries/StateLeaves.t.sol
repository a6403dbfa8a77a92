// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Goldilocks} from "../../src/libraries/Goldilocks.sol";
import {Poseidon2} from "../../src/libraries/Poseidon2.sol";
import {StateLeaves} from "../../src/libraries/StateLeaves.sol";
import {LeafLayout} from "../../src/rendered/LeafLayout.sol";
import {Fixtures} from "./Fixtures.sol";

contract StateLeavesHarness {
    function rootOfAccount(
        uint256[] calldata elements,
        uint256 index,
        bytes32[] calldata path,
        bytes32[4] calldata sections,
        uint256 depth
    ) external pure returns (bytes32) {
        return StateLeaves.rootOfAccount(elements, index, path, sections, depth);
    }

    function rootOfMarket(
        uint256[] calldata elements,
        uint256 underlying,
        bytes32[] calldata path,
        bytes32[4] calldata sections,
        uint256 depth
    ) external pure returns (bytes32) {
        return StateLeaves.rootOfMarket(elements, underlying, path, sections, depth);
    }
}

/// @notice Accounts and markets of generated states are part of their settlement roots; nothing
/// else is.
contract StateLeavesTest is Fixtures {
    struct Leaf {
        uint256[] elements;
        uint256 index;
        bytes32[] path;
        bytes32[4] sections;
        bytes32 root;
    }

    StateLeavesHarness private harness = new StateLeavesHarness();
    Leaf private sample = leafAt(placeOf(".accounts", 1));

    function leafAt(string memory path) private view returns (Leaf memory leaf) {
        string memory json = fixture("leaves");
        leaf.elements = numbers(json, path, ".elements");
        leaf.index = number(json, path, ".index");
        leaf.path = words(json, path, ".path");
        bytes32[] memory sections = words(json, path, ".sections");
        for (uint256 k = 0; k < 4; ++k) {
            leaf.sections[k] = sections[k];
        }
        leaf.root = word(json, path, ".root");
    }

    function accountRoot(Leaf memory leaf) private view returns (bytes32) {
        return harness.rootOfAccount(
            leaf.elements, leaf.index, leaf.path, leaf.sections, leaf.path.length
        );
    }

    function marketRoot(Leaf memory leaf) private view returns (bytes32) {
        return harness.rootOfMarket(
            leaf.elements, leaf.index, leaf.path, leaf.sections, leaf.path.length
        );
    }

    function test_accounts_lead_to_the_settlement_root() external view {
        uint256 count = countOf(fixture("leaves"), ".accounts");
        assertTrue(count > 10, "accounts");
        for (uint256 k = 0; k < count; ++k) {
            Leaf memory leaf = leafAt(placeOf(".accounts", k));
            assertEq(accountRoot(leaf), leaf.root, "root");
            leaf.sections[3] = bytes32(uint256(1)); // its own section is computed, not read
            assertEq(accountRoot(leaf), leaf.root, "its own section");
        }
    }

    function test_markets_lead_to_the_settlement_root() external view {
        uint256 count = countOf(fixture("leaves"), ".markets");
        assertTrue(count > 1, "markets");
        for (uint256 k = 0; k < count; ++k) {
            Leaf memory leaf = leafAt(placeOf(".markets", k));
            assertEq(marketRoot(leaf), leaf.root, "root");
            assertTrue(accountRoot(leaf) != leaf.root, "a market as an account");
        }
    }

    function testFuzz_a_changed_leaf_leads_elsewhere(uint256 seed) external view {
        Leaf memory leaf = sample;
        uint256 which = (seed >> 8) % 4;
        uint256 place = seed >> 16;
        if (which == 0) {
            place %= leaf.elements.length;
            leaf.elements[place] = (leaf.elements[place] + 1) % Goldilocks.MODULUS;
        } else if (which == 1) {
            leaf.index ^= 1 << (place % leaf.path.length);
        } else if (which == 2) {
            place %= leaf.path.length;
            leaf.path[place] = bytes32(uint256(leaf.path[place]) ^ (1 << 248));
        } else {
            place %= 3; // system, markets, instruments
            leaf.sections[place] = bytes32(uint256(leaf.sections[place]) ^ (1 << 248));
        }
        assertTrue(accountRoot(leaf) != leaf.root, "another leaf under the same root");
    }

    function test_elements_more_or_less_lead_elsewhere() external view {
        Leaf memory leaf = leafAt(placeOf(".accounts", 0));
        uint256[] memory elements = leaf.elements;
        leaf.elements = new uint256[](elements.length + 1); // a zero more
        for (uint256 k = 0; k < elements.length; ++k) {
            leaf.elements[k] = elements[k];
        }
        assertTrue(accountRoot(leaf) != leaf.root, "padding");
    }

    function test_the_depth_is_the_deployments() external {
        Leaf memory leaf = leafAt(placeOf(".accounts", 0));
        vm.expectRevert(
            abi.encodeWithSelector(
                StateLeaves.WrongDepth.selector, leaf.path.length, LeafLayout.ACCOUNT_DEPTH
            )
        );
        harness.rootOfAccount(
            leaf.elements, leaf.index, leaf.path, leaf.sections, LeafLayout.ACCOUNT_DEPTH
        );
    }

    /// @notice A node is no leaf: the path from it is shorter than the tree is deep.
    function test_a_node_is_no_leaf() external {
        Leaf memory leaf = leafAt(placeOf(".accounts", 0));
        bytes32[] memory shorter = new bytes32[](leaf.path.length - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                StateLeaves.WrongDepth.selector, shorter.length, leaf.path.length
            )
        );
        harness.rootOfAccount(leaf.elements, 0, shorter, leaf.sections, leaf.path.length);
    }

    /// @notice Counts, kept in the gas snapshot: an account with 64 positions in a tree of 2^24.
    function test_gas_of_an_account_with_64_positions() external {
        Leaf memory leaf = leafAt(".deep");
        assertEq(leaf.elements.length, 16 + 3 * 64, "elements");
        assertEq(leaf.path.length, LeafLayout.ACCOUNT_DEPTH, "levels");
        bytes32 root = harness.rootOfAccount(
            leaf.elements, leaf.index, leaf.path, leaf.sections, LeafLayout.ACCOUNT_DEPTH
        );
        vm.snapshotGasLastCall("StateLeaves.rootOfAccount, 64 positions, 2^24 accounts");
        assertEq(root, leaf.root, "root");
    }
}
