// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Goldilocks} from "../../src/libraries/Goldilocks.sol";
import {Requests} from "../../src/libraries/Requests.sol";
import {Fixtures} from "./Fixtures.sol";

contract RequestsHarness {
    function absorb(bytes32 rollingHash, bytes calldata data, uint256 countMax)
        external
        pure
        returns (bytes32, uint256, uint256)
    {
        return Requests.absorb(rollingHash, data, countMax);
    }

    function deposit(uint256 account, address owner, address sender, uint256 amount)
        external
        pure
        returns (bytes memory)
    {
        return Requests.deposit(account, owner, sender, amount);
    }

    function fundDeposit(uint256 underlying, address sender, uint256 amount)
        external
        pure
        returns (bytes memory)
    {
        return Requests.fundDeposit(underlying, sender, amount);
    }

    function registerKey(uint256 account, uint64[5] calldata key)
        external
        pure
        returns (bytes memory)
    {
        return Requests.registerKey(account, address(1), key);
    }

    function forcedClose(uint256 account, uint256 instrument)
        external
        pure
        returns (bytes memory)
    {
        return Requests.forcedClose(account, address(1), instrument);
    }

    function forcedWithdrawal(uint256 account, uint256 amount)
        external
        pure
        returns (bytes memory)
    {
        return Requests.forcedWithdrawal(account, address(1), amount);
    }
}

/// @notice Requests have the specification's bytes and hashes; what has no bytes is refused.
contract RequestsTest is Fixtures {
    uint256 private constant P = Goldilocks.MODULUS;

    RequestsHarness private harness = new RequestsHarness();
    bytes private eight;
    bytes32 private before;
    bytes32 private afterwards;

    /// @dev A batch of eight requests, out of the fixture: reading that takes longer than a fuzz
    /// run.
    constructor() {
        string memory batches = fixture("batches");
        eight = octets(batches, placeOf("", 0), ".calldata");
        before = word(batches, placeOf("", 0), ".hash_before");
        afterwards = word(batches, placeOf("", 0), ".hash_after");
    }

    function test_bytes_and_hashes_equal_the_specification() external view {
        string memory json = fixture("requests");
        uint256 count = countOf(json, "");
        bytes32 rolling = 0;
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf("", k);
            bytes memory request = octets(json, path, ".bytes");
            assertEq(encoded(json, k % 8, string.concat(path, ".fields")), request, path);
            rolling = Requests.extend(rolling, request);
            assertEq(rolling, word(json, path, ".hash"), path);
        }
    }

    /// @dev The fixture holds the kinds in their order, again and again.
    function encoded(string memory json, uint256 kind, string memory path)
        private
        pure
        returns (bytes memory)
    {
        if (kind == 1) {
            uint256 underlying = number(json, path, ".underlying");
            return Requests.fundDeposit(
                underlying, who(json, path, ".sender"), number(json, path, ".amount")
            );
        }
        uint256 account = number(json, path, ".account");
        if (kind == 6) return Requests.forcedLiquidation(account);
        address owner = who(json, path, ".owner");
        if (kind == 0) {
            return Requests.deposit(
                account, owner, who(json, path, ".sender"), number(json, path, ".amount")
            );
        }
        if (kind == 2) return Requests.registerKey(account, owner, keyAt(json, path));
        if (kind == 3) return Requests.allowOwner(account, owner, who(json, path, ".allowed"));
        if (kind == 4) {
            return Requests.forcedWithdrawal(account, owner, number(json, path, ".amount"));
        }
        if (kind == 5) {
            return Requests.forcedClose(account, owner, number(json, path, ".instrument"));
        }
        return Requests.forcedCancel(account, owner);
    }

    function keyAt(string memory json, string memory path)
        private
        pure
        returns (uint64[5] memory key)
    {
        uint256[] memory elements = numbers(json, path, ".key");
        for (uint256 k = 0; k < 5; ++k) {
            key[k] = uint64(elements[k]);
        }
    }

    function test_a_batch_of_requests_hashes_as_the_inbox_did() external view {
        string memory batches = fixture("batches");
        uint256 count = countOf(batches, "");
        uint256 seen = 0;
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf("", k);
            (bytes32 hash, uint256 requests, uint256 end) = harness.absorb(
                word(batches, path, ".hash_before"), octets(batches, path, ".calldata"), 256
            );
            assertEq(hash, word(batches, path, ".hash_after"), path);
            assertEq(requests, number(batches, path, ".requests"), path);
            assertLe(end, octets(batches, path, ".calldata").length, path);
            seen += requests;
        }
        assertTrue(seen > 20, "too few requests to mean anything");
    }

    /// @notice A changed byte of a request changes the hash, so that the inbox's is not met;
    /// outcomes
    /// are no part of it.
    function testFuzz_no_request_can_be_altered(uint256 seed) external view {
        bytes memory data = eight;
        uint256 place = bound(seed >> 8, 4, data.length - 5);
        data[place] = bytes1(uint8(seed));
        bool same = keccak256(data) == keccak256(eight);
        (bool success, bytes memory answer) =
            address(harness).staticcall(abi.encodeCall(harness.absorb, (before, data, 256)));
        if (!success) return assertNamedError(success, answer, "altered");
        (bytes32 hash,,) = abi.decode(answer, (bytes32, uint256, uint256));
        if (same) {
            assertEq(hash, afterwards, "the same");
        } else {
            assertTrue(hash != afterwards || isOutcome(data, place), "another request, same hash");
        }
    }

    /// @dev Whether a byte of the eight requests stands before a request.
    function isOutcome(bytes memory data, uint256 place) private pure returns (bool) {
        uint8[8] memory lengths = [52, 30, 64, 44, 32, 31, 4, 24];
        uint256 start = 2;
        while (start + 1 < data.length) {
            if (start == place) return true;
            uint256 kind = uint8(data[start + 1]);
            if (kind > 7) return false;
            start += 1 + lengths[kind];
        }
        return false;
    }

    function test_more_requests_than_a_batch_takes_are_refused() external {
        bytes memory data = eight;
        vm.expectRevert(abi.encodeWithSelector(Requests.TooManyRequests.selector, 8, 7));
        harness.absorb(0, data, 7);
    }

    function test_accounts_from_2_24_are_refused() external {
        harness.forcedWithdrawal(2 ** 24 - 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(Requests.AccountTooLarge.selector, 2 ** 24, 2 ** 24)
        );
        harness.forcedWithdrawal(2 ** 24, 1);
    }

    function test_amounts_of_nothing_and_from_2_63_are_refused() external {
        harness.deposit(0, address(1), address(1), 2 ** 63 - 1);
        uint256[2] memory wrong = [uint256(0), 2 ** 63];
        for (uint256 k = 0; k < 2; ++k) {
            bytes memory reason =
                abi.encodeWithSelector(Requests.AmountOutOfRange.selector, wrong[k], 1, 2 ** 63);
            vm.expectRevert(reason);
            harness.deposit(0, address(1), address(1), wrong[k]);
            vm.expectRevert(reason);
            harness.fundDeposit(0, address(1), wrong[k]);
            vm.expectRevert(reason);
            harness.forcedWithdrawal(0, wrong[k]);
        }
    }

    function test_underlyings_from_2_8_are_refused() external {
        harness.fundDeposit(255, address(1), 1);
        vm.expectRevert(abi.encodeWithSelector(Requests.UnderlyingTooLarge.selector, 256, 256));
        harness.fundDeposit(256, address(1), 1);
    }

    function test_instruments_from_2_50_are_refused() external {
        harness.forcedClose(0, 2 ** 50 - 1);
        vm.expectRevert(
            abi.encodeWithSelector(Requests.InstrumentTooLarge.selector, 2 ** 50, 2 ** 50)
        );
        harness.forcedClose(0, 2 ** 50);
    }

    function test_key_elements_from_p_are_refused() external {
        for (uint256 place = 0; place < 5; ++place) {
            uint64[5] memory key;
            key[place] = uint64(P - 1);
            harness.registerKey(0, key);
            key[place] = uint64(P);
            vm.expectRevert(
                abi.encodeWithSelector(Requests.KeyElementTooLarge.selector, place, P, P)
            );
            harness.registerKey(0, key);
        }
    }
}
