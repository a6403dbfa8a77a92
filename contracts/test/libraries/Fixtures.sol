// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "../Base.sol";

/// @notice Values that tools/render_contract_fixtures.py computed by the specification.
abstract contract Fixtures is Base {
    /// @dev The text of one file of test/rendered.
    function fixture(string memory name) internal view returns (string memory) {
        return vm.readFile(string.concat("test/rendered/", name, ".json"));
    }

    /// @dev Number of cases of a list.
    function countOf(string memory json, string memory list) internal pure returns (uint256) {
        return vm.parseJsonUint(json, string.concat(list, ".count"));
    }

    /// @dev Path of one case of a list.
    function placeOf(string memory list, uint256 place) internal pure returns (string memory) {
        return string.concat(list, ".cases[", vm.toString(place), "]");
    }

    function octets(string memory json, string memory path, string memory field)
        internal
        pure
        returns (bytes memory)
    {
        return vm.parseJsonBytes(json, string.concat(path, field));
    }

    function word(string memory json, string memory path, string memory field)
        internal
        pure
        returns (bytes32)
    {
        return vm.parseJsonBytes32(json, string.concat(path, field));
    }

    function words(string memory json, string memory path, string memory field)
        internal
        pure
        returns (bytes32[] memory)
    {
        return vm.parseJsonBytes32Array(json, string.concat(path, field));
    }

    function number(string memory json, string memory path, string memory field)
        internal
        pure
        returns (uint256)
    {
        return vm.parseJsonUint(json, string.concat(path, field));
    }

    function numbers(string memory json, string memory path, string memory field)
        internal
        pure
        returns (uint256[] memory)
    {
        return vm.parseJsonUintArray(json, string.concat(path, field));
    }

    function who(string memory json, string memory path, string memory field)
        internal
        pure
        returns (address)
    {
        return vm.parseJsonAddress(json, string.concat(path, field));
    }

    /// @dev SHA-256 of label ‖ counter 4, one after the other: `expanded` of the renderer.
    function expanded(string memory label, uint256 length)
        internal
        pure
        returns (bytes memory out)
    {
        out = new bytes(length + 32);
        for (uint256 k = 0; 32 * k < length; ++k) {
            bytes32 block_ = sha256(abi.encodePacked(label, uint32(k)));
            assembly ("memory-safe") {
                mstore(add(add(out, 0x20), shl(5, k)), block_)
            }
        }
        assembly ("memory-safe") {
            mstore(out, length)
        }
    }

    /// @dev Asserts that a call failed with an error that has a name, not by running out of bounds.
    function assertNamedError(bool success, bytes memory answer, string memory what)
        internal
        pure
    {
        assertFalse(success, string.concat(what, ": accepted"));
        assertTrue(answer.length >= 4, string.concat(what, ": nameless"));
        assertTrue(bytes4(answer) != 0x4e487b71, string.concat(what, ": Panic"));
    }
}
