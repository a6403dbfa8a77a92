// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Requests} from "../../src/libraries/Requests.sol";
import {Withdrawals} from "../../src/libraries/Withdrawals.sol";
import {Fixtures} from "./Fixtures.sol";

contract WithdrawalsHarness {
    /// @dev The contract's part of a batch as the settlement contract reads it.
    function absorb(bytes32 venue, uint32 number, bytes calldata data)
        external
        pure
        returns (bytes32 root, uint256 count, uint256 total)
    {
        (,, uint256 end) = Requests.absorb(0, data, 256);
        return Withdrawals.absorb(venue, number, data[end:]);
    }

    function verify(bytes32 root, bytes32 leaf, uint256 index, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return Withdrawals.verify(root, leaf, index, path);
    }

    function payments(bytes32 venue, bytes calldata data)
        external
        pure
        returns (bytes32 root, uint256 count, uint256 total)
    {
        return Withdrawals.absorb(venue, 7, data);
    }
}

/// @notice Roots and paths are the specification's; nothing but a payment can be claimed.
contract WithdrawalsTest is Fixtures {
    WithdrawalsHarness private harness = new WithdrawalsHarness();
    bytes32 private venue;

    constructor() {
        string memory json = fixture("batches");
        venue = Withdrawals.domain(number(json, "", ".chain_id"), who(json, "", ".settlement"));
    }

    function test_root_and_sum_equal_the_specification() external view {
        string memory json = fixture("batches");
        uint256 count = countOf(json, "");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf("", k);
            (bytes32 root, uint256 payments, uint256 total) = harness.absorb(
                venue,
                uint32(number(json, path, ".fields.number")),
                octets(json, path, ".calldata")
            );
            assertEq(root, word(json, path, ".payments.root"), path);
            assertEq(payments, words(json, path, ".payments.leaves").length, path);
            assertEq(total, number(json, path, ".payments.total"), path);
        }
    }

    function test_every_payment_has_its_path_and_no_other() external view {
        string memory json = fixture("batches");
        uint256 count = countOf(json, "");
        uint256 checked = 0;
        for (uint256 k = 0; k < count; ++k) {
            bytes32[] memory leaves = words(json, placeOf("", k), ".payments.leaves");
            for (uint256 index = 0; index < leaves.length; ++index) {
                checkPath(json, placeOf("", k), leaves, index);
                ++checked;
            }
        }
        assertTrue(checked > 15, "too few payments to mean anything");
    }

    function checkPath(
        string memory json,
        string memory case_,
        bytes32[] memory leaves,
        uint256 index
    ) private view {
        bytes32 root = word(json, case_, ".payments.root");
        bytes32[] memory path = pathOf(json, case_, index);
        for (uint256 place = 0; place < leaves.length; ++place) {
            bool same = place == index;
            assertTrue(harness.verify(root, leaves[index], place, path) == same, "index");
            assertTrue(harness.verify(root, leaves[place], index, path) == same, "leaf");
        }
        // bits beyond the path would be another place with the same path
        assertFalse(harness.verify(root, leaves[index], index | (1 << path.length), path), "alias");
        for (uint256 height = 0; height < path.length; ++height) {
            path[height] ^= bytes32(uint256(1));
            assertFalse(harness.verify(root, leaves[index], index, path), "sibling");
            path[height] ^= bytes32(uint256(1));
        }
    }

    function pathOf(string memory json, string memory case_, uint256 index)
        private
        pure
        returns (bytes32[] memory path)
    {
        uint256 levels = number(json, case_, ".payments.levels");
        bytes32[] memory all = words(json, case_, ".payments.paths");
        path = new bytes32[](levels);
        for (uint256 height = 0; height < levels; ++height) {
            path[height] = all[index * levels + height];
        }
    }

    function test_an_inner_node_is_no_payment() external view {
        string memory json = fixture("batches");
        string memory case_ = placeOf("", 3);
        bytes32[] memory leaves = words(json, case_, ".payments.leaves");
        bytes32[] memory path = pathOf(json, case_, 0);
        bytes32 inner = keccak256(abi.encodePacked(leaves[0], leaves[1]));
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        for (uint256 height = 1; height < path.length; ++height) {
            shorter[height - 1] = path[height];
        }
        bytes32 root = word(json, case_, ".payments.root");
        // it does lie on the way to the root: only the length of what is hashed keeps them apart
        assertTrue(harness.verify(root, inner, 0, shorter), "inner node");
        bytes32 claimed = Withdrawals.leaf(venue, 1, address(1), 1, 1, 0);
        assertFalse(harness.verify(root, claimed, 0, shorter), "as a payment");
    }

    function test_no_payment_has_the_root_zero() external view {
        (bytes32 root, uint256 count, uint256 total) = harness.payments(venue, hex"00000000");
        assertEq(root, bytes32(0), "root");
        assertEq(count + total, 0, "count and total");
    }

    /// @notice The sum of any number of payments and their root, beside a plain tree.
    function testFuzz_root_equals_a_plain_tree(uint8 seed, bytes32 entropy) external view {
        uint256 count = bound(seed, 1, 70);
        bytes memory data = abi.encodePacked(uint32(count));
        bytes32[] memory nodes = new bytes32[](count);
        uint256 sum = 0;
        for (uint256 k = 0; k < count; ++k) {
            uint256 random = uint256(keccak256(abi.encode(entropy, k)));
            uint64 amount = uint64(random) >> 1;
            address to = address(uint160(random >> 64));
            uint32 account = uint32(random >> 224);
            data = abi.encodePacked(data, account, to, amount);
            nodes[k] = Withdrawals.leaf(venue, account, to, amount, 7, uint32(k));
            sum += amount;
        }
        (bytes32 root, uint256 found, uint256 total) = harness.payments(venue, data);
        assertEq(root, plainRoot(nodes), "root");
        assertEq(found, count, "count");
        assertEq(total, sum, "total");
    }

    function plainRoot(bytes32[] memory nodes) private pure returns (bytes32) {
        while (nodes.length > 1) {
            bytes32[] memory above = new bytes32[]((nodes.length + 1) / 2);
            for (uint256 k = 0; k < above.length; ++k) {
                bytes32 right = 2 * k + 1 < nodes.length ? nodes[2 * k + 1] : bytes32(0);
                above[k] = keccak256(abi.encodePacked(nodes[2 * k], right));
            }
            nodes = above;
        }
        return nodes[0];
    }

    function test_what_the_specification_refuses_is_refused() external view {
        string memory refused = fixture("refused");
        uint256 count = countOf(refused, ".calldata");
        assertTrue(count > 10, "cases");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".calldata", k);
            bytes memory data = octets(refused, path, ".bytes");
            bytes memory call = abi.encodeCall(harness.absorb, (venue, 1, data));
            (bool success, bytes memory answer) = address(harness).staticcall(call);
            assertNamedError(success, answer, path);
        }
    }
}
