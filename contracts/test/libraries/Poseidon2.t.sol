// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Goldilocks} from "../../src/libraries/Goldilocks.sol";
import {Poseidon2} from "../../src/libraries/Poseidon2.sol";
import {ROUNDS_12, ROUNDS_8} from "../../src/rendered/Poseidon2Constants.sol";
import {Fixtures} from "./Fixtures.sol";

/// @notice The library as a contract, so that calldata are calldata and errors are caught.
contract Poseidon2Harness {
    function hash(uint256 tag, uint256[] calldata elements) external pure returns (bytes32) {
        return Poseidon2.hash(tag, elements);
    }

    function compress(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return Poseidon2.compress(left, right);
    }

    function rootFromPath(bytes32 leaf, uint256 index, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return Poseidon2.rootFromPath(leaf, index, path);
    }

    function gasOfPermute12(Poseidon2.State memory state) external view returns (uint256 used) {
        uint256 rounds = Poseidon2.table(ROUNDS_12);
        used = gasleft();
        Poseidon2.permute12(state, rounds);
        used -= gasleft();
    }

    function gasOfPermute8(Poseidon2.State memory state) external view returns (uint256 used) {
        uint256 rounds = Poseidon2.table(ROUNDS_8);
        used = gasleft();
        Poseidon2.permute8(state, rounds);
        used -= gasleft();
    }
}

/// @notice Poseidon2 equals the specification's, and refuses what has an alias.
contract Poseidon2Test is Fixtures {
    uint256 private constant P = Goldilocks.MODULUS;

    Poseidon2Harness private harness = new Poseidon2Harness();

    function test_hashes_equal_the_specification() external view {
        string memory json = fixture("poseidon2");
        uint256 count = countOf(json, ".hashes");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".hashes", k);
            uint256[] memory elements = numbers(json, path, ".elements");
            bytes32 digest = harness.hash(number(json, path, ".tag"), elements);
            assertEq(digest, word(json, path, ".digest"), path);
        }
    }

    function test_compressions_equal_the_specification() external view {
        string memory json = fixture("poseidon2");
        uint256 count = countOf(json, ".compressions");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".compressions", k);
            bytes32 parent =
                harness.compress(word(json, path, ".left"), word(json, path, ".right"));
            assertEq(parent, word(json, path, ".parent"), path);
        }
    }

    function test_paths_equal_the_specification() external view {
        string memory json = fixture("poseidon2");
        uint256 count = countOf(json, ".paths");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".paths", k);
            bytes32[] memory siblings = words(json, path, ".path");
            uint256 index = number(json, path, ".index");
            bytes32 root = harness.rootFromPath(word(json, path, ".leaf"), index, siblings);
            assertEq(root, word(json, path, ".root"), path);
        }
    }

    function test_another_sibling_or_index_gives_another_root() external view {
        string memory json = fixture("poseidon2");
        string memory path = placeOf(".paths", 4); // 24 levels
        bytes32[] memory siblings = words(json, path, ".path");
        bytes32 leaf = word(json, path, ".leaf");
        bytes32 root = word(json, path, ".root");
        uint256 index = number(json, path, ".index");
        for (uint256 height = 0; height < siblings.length; height += 5) {
            assertTrue(
                harness.rootFromPath(leaf, index ^ (1 << height), siblings) != root, "index"
            );
            bytes32 right = siblings[height];
            siblings[height] = bytes32(uint256(right) ^ (1 << 255)); // lowest bytes come first
            assertTrue(harness.rootFromPath(leaf, index, siblings) != root, "sibling");
            siblings[height] = right;
        }
    }

    function test_an_element_from_p_is_refused() external {
        uint256[] memory elements = new uint256[](9);
        for (uint256 place = 0; place < 9; ++place) {
            elements[place] = P;
            vm.expectRevert(
                abi.encodeWithSelector(Poseidon2.ElementNotCanonical.selector, place, P, P)
            );
            harness.hash(1, elements);
            elements[place] = P - 1;
        }
        harness.hash(1, elements);
    }

    function test_a_digest_with_an_alias_is_refused() external {
        for (uint256 k = 0; k < 4; ++k) {
            bytes32 alias_ = bytes32(Goldilocks.swap(P << (64 * k)));
            bytes memory reason =
                abi.encodeWithSelector(Goldilocks.DigestNotCanonical.selector, alias_);
            vm.expectRevert(reason);
            harness.compress(alias_, 0);
            vm.expectRevert(reason);
            harness.compress(0, alias_);
            vm.expectRevert(reason);
            harness.rootFromPath(alias_, 0, new bytes32[](0));
        }
        harness.compress(bytes32(Goldilocks.swap(((P - 1) << 64) | (P - 1))), 0);
    }

    function test_an_index_beyond_the_tree_is_refused() external {
        vm.expectRevert(abi.encodeWithSelector(Poseidon2.IndexTooLarge.selector, 8, 3));
        harness.rootFromPath(0, 8, new bytes32[](3));
    }

    /// @notice Counts, kept in the gas snapshot: a permutation of width 12, and one of width 8.
    function test_gas_of_permutations() external {
        Poseidon2.State memory state = Poseidon2.State(1, 2, 3, 4);
        vm.snapshotValue("Poseidon2.permute12", harness.gasOfPermute12(state));
        vm.snapshotValue("Poseidon2.permute8", harness.gasOfPermute8(state));
    }
}
