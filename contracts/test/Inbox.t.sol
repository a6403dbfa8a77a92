// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox, RequestKind, RequestRecord} from "../src/interfaces/IInbox.sol";
import {Requests} from "../src/libraries/Requests.sol";
import {Venue} from "./Venue.sol";

/// @notice A payer that enters again when it gets its excess back, or refuses it.
contract Payer {
    bool public greedy;
    bool public stubborn;

    function set(bool greedy_, bool stubborn_) external {
        (greedy, stubborn) = (greedy_, stubborn_);
    }

    function cancel(IInbox inbox, uint256 value) external returns (uint64) {
        return inbox.forceCancel{value: value}(0);
    }

    receive() external payable {
        if (stubborn) revert();
        if (greedy) {
            greedy = false;
            IInbox(msg.sender).forceCancel{value: msg.value}(0);
        }
    }
}

contract InboxTest is Venue {
    uint64[5] private key = [uint64(1), 2, 3, 4, 0xffffffff00000000];

    function _assertQueued(uint64 index, RequestKind kind, bytes memory request) private view {
        assertEq(inbox.length(), index + 1, "length");
        RequestRecord memory record = inbox.request(index);
        assertEq(uint256(record.kind), uint256(kind), "kind");
        assertEq(record.blockNumber, _block(), "block");
        assertEq(
            inbox.rollingHash(index + 1),
            keccak256(abi.encodePacked(inbox.rollingHash(index), request)),
            "rolling hash"
        );
    }

    // ----------------------------------------------------------------------------------- each kind

    function test_a_new_account_is_given_out_in_sequence() external {
        uint256 before = token.balanceOf(ALICE);
        uint256 burned = GRAVE.balance;
        vm.prank(ALICE);
        (uint32 account, uint64 index) =
            inbox.depositToNewAccount{value: BASE_FEE}(BOB, 0x0102030405);
        assertEq(account, 1, "0 is the treasury");
        bytes memory request = abi.encodePacked(hex"00000001", BOB, ALICE, hex"0000000102030405");
        _assertQueued(index, RequestKind.DEPOSIT, request);
        assertEq(before - token.balanceOf(ALICE), 0x0102030405, "tokens");
        assertEq(inbox.depositsBefore(1), 0x0102030405, "sum of deposits");
        assertEq(GRAVE.balance - burned, BASE_FEE, "the fee is burned");
        vm.prank(BOB);
        (account,) = inbox.depositToNewAccount{value: BASE_FEE}(BOB, 1);
        assertEq(account, 2, "the next");
        assertEq(inbox.nextAccount(), 3, "and so on");
    }

    function test_a_deposit_names_account_owner_and_sender() external {
        _deposit(ALICE, 1);
        vm.prank(CAROL);
        uint64 index = inbox.deposit{value: BASE_FEE}(1, ALICE, 7);
        bytes memory request = abi.encodePacked(hex"00000001", ALICE, CAROL, hex"0000000000000007");
        _assertQueued(index, RequestKind.DEPOSIT, request);
        assertEq(inbox.depositsBefore(2), 8, "sum of deposits");
    }

    function test_a_deposit_to_a_fund() external {
        vm.prank(CAROL);
        uint64 index = inbox.depositToFund{value: BASE_FEE}(200, 9);
        _assertQueued(
            index,
            RequestKind.FUND_DEPOSIT,
            abi.encodePacked(hex"01c8", CAROL, hex"0000000000000009")
        );
        assertEq(vault.received(), 9, "tokens");
    }

    function test_forced_requests_name_the_sender_as_owner() external {
        vm.startPrank(ALICE);
        uint64 index = inbox.forceWithdrawal{value: BASE_FEE}(0, 2 ** 63 - 1);
        _assertQueued(
            index,
            RequestKind.FORCED_WITHDRAWAL,
            abi.encodePacked(hex"04000000", ALICE, hex"7fffffffffffffff")
        );
        index = inbox.forceClose{value: BASE_FEE}(0, 2 ** 50 - 1);
        _assertQueued(
            index,
            RequestKind.FORCED_CLOSE,
            abi.encodePacked(hex"05000000", ALICE, hex"03ffffffffffff")
        );
        index = inbox.forceLiquidation{value: BASE_FEE}(0);
        _assertQueued(index, RequestKind.FORCED_LIQUIDATION, hex"06000000");
        index = inbox.forceCancel{value: BASE_FEE}(0);
        _assertQueued(index, RequestKind.FORCED_CANCEL, abi.encodePacked(hex"07000000", ALICE));
        vm.stopPrank();
    }

    function test_keys_come_from_the_registry_only() external {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotKeyRegistry.selector, ALICE));
        vm.prank(ALICE);
        inbox.registerKey{value: BASE_FEE}(0, ALICE, key, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotKeyRegistry.selector, ALICE));
        vm.prank(ALICE);
        inbox.allowOwner{value: BASE_FEE}(0, ALICE, BOB, ALICE);
        vm.deal(address(keys), 1 ether);
        vm.prank(address(keys));
        uint64 index = inbox.registerKey{value: BASE_FEE}(0, BOB, key, ALICE);
        bytes memory elements =
            hex"010000000000000002000000000000000300000000000000040000000000000000000000ffffffff";
        bytes memory request = abi.encodePacked(hex"02000000", BOB, elements);
        // elements are little-endian: 0xffffffff00000000 ends in four bytes of ones
        assertEq(request.length, 64, "64 bytes");
        _assertQueued(index, RequestKind.REGISTER_KEY, request);
        vm.prank(address(keys));
        index = inbox.allowOwner{value: BASE_FEE}(0, BOB, CAROL, ALICE);
        _assertQueued(index, RequestKind.ALLOW_OWNER, abi.encodePacked(hex"03000000", BOB, CAROL));
    }

    // ----------------------------------------------------------------- what public data cannot say

    function test_refuses_amounts_out_of_range() external {
        uint256 limit = 2 ** 63;
        bytes4 selector = Requests.AmountOutOfRange.selector;
        uint64[2] memory amounts = [uint64(0), uint64(limit)];
        for (uint256 k = 0; k < 2; ++k) {
            bytes memory expected = abi.encodeWithSelector(selector, amounts[k], 1, limit);
            vm.startPrank(ALICE);
            vm.expectRevert(expected);
            inbox.depositToNewAccount{value: BASE_FEE}(ALICE, amounts[k]);
            vm.expectRevert(expected);
            inbox.deposit{value: BASE_FEE}(0, ALICE, amounts[k]);
            vm.expectRevert(expected);
            inbox.depositToFund{value: BASE_FEE}(0, amounts[k]);
            vm.expectRevert(expected);
            inbox.forceWithdrawal{value: BASE_FEE}(0, amounts[k]);
            vm.stopPrank();
        }
        assertEq(inbox.length(), 0, "nothing was hashed");
        assertEq(inbox.nextAccount(), 1, "no index was given out");
    }

    function test_refuses_instruments_out_of_range() external {
        vm.expectRevert(
            abi.encodeWithSelector(Requests.InstrumentTooLarge.selector, 2 ** 50, 2 ** 50)
        );
        vm.prank(ALICE);
        inbox.forceClose{value: BASE_FEE}(0, 2 ** 50);
    }

    function test_refuses_key_elements_from_p_on() external {
        uint256 p = 0xffffffff00000001;
        vm.deal(address(keys), 1 ether);
        for (uint256 k = 0; k < 5; ++k) {
            uint64[5] memory wrong = key;
            wrong[k] = uint64(p);
            vm.expectRevert(abi.encodeWithSelector(Requests.KeyElementTooLarge.selector, k, p, p));
            vm.prank(address(keys));
            inbox.registerKey{value: BASE_FEE}(0, BOB, wrong, ALICE);
        }
    }

    /// @notice Whoever names an index first could open it before the one to whom it is given.
    function test_refuses_accounts_not_given_out() external {
        bytes memory expected = abi.encodeWithSelector(IInbox.AccountNotOpened.selector, 1, 1);
        vm.startPrank(ALICE);
        vm.expectRevert(expected);
        inbox.deposit{value: BASE_FEE}(1, ALICE, 1);
        vm.expectRevert(expected);
        inbox.forceWithdrawal{value: BASE_FEE}(1, 1);
        vm.expectRevert(expected);
        inbox.forceClose{value: BASE_FEE}(1, 1);
        vm.expectRevert(expected);
        inbox.forceLiquidation{value: BASE_FEE}(1);
        vm.expectRevert(expected);
        inbox.forceCancel{value: BASE_FEE}(1);
        vm.expectRevert(expected);
        keys.registerKey{value: BASE_FEE}(1, key);
        vm.expectRevert(expected);
        keys.allowOwner{value: BASE_FEE}(1, BOB);
        vm.stopPrank();
    }

    function test_refuses_nobody_as_owner() external {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IInbox.ZeroAddress.selector, "owner"));
        inbox.depositToNewAccount{value: BASE_FEE}(address(0), 1);
        vm.stopPrank();
    }

    function test_refuses_more_accounts_than_the_tree_has() external {
        for (uint256 k = 1; k < 64; ++k) {
            _deposit(ALICE, 1);
        }
        uint256 cost = inbox.fee();
        vm.expectRevert(abi.encodeWithSelector(IInbox.AccountsExhausted.selector, 64));
        vm.prank(ALICE);
        inbox.depositToNewAccount{value: cost}(ALICE, 1);
    }

    /// @notice A deposit that the law refuses would shift every index given out after it.
    function test_refuses_what_the_law_could_not_credit() external {
        uint256 cashMax = 2 ** 60 - 1;
        token.mint(ALICE, cashMax + 1);
        vm.prank(ALICE);
        inbox.depositToNewAccount{value: BASE_FEE}(ALICE, uint64(cashMax));
        vm.expectRevert(
            abi.encodeWithSelector(IInbox.HoldingsTooLarge.selector, cashMax + 1, cashMax)
        );
        vm.prank(BOB);
        inbox.depositToNewAccount{value: BASE_FEE}(BOB, 1);
    }

    // ---------------------------------------------------------------------------------------- fees

    function test_the_fee_rises_with_the_queue_and_falls_with_commits() external {
        for (uint256 k = 0; k < 9; ++k) {
            assertEq(inbox.fee(), BASE_FEE * (1 + k / 4), "fee");
            _forceCancel(ALICE);
        }
        _full(4);
        assertEq(inbox.fee(), BASE_FEE * 2, "five wait");
        _full(4);
        assertEq(inbox.fee(), BASE_FEE, "one waits");
    }

    function test_a_revert_puts_requests_back_into_the_queue() external {
        for (uint256 k = 0; k < 4; ++k) {
            _forceCancel(ALICE);
        }
        _full(4);
        assertEq(inbox.fee(), BASE_FEE, "none waits");
        _challenge(BOB, head);
        _mine(PROOF_TIME + 1);
        settlement.revertContested(batches[0], head);
        assertEq(inbox.fee(), 2 * BASE_FEE, "four wait again");
    }

    function test_refuses_less_than_the_fee() external {
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeTooLow.selector, BASE_FEE - 1, BASE_FEE));
        vm.prank(ALICE);
        inbox.forceCancel{value: BASE_FEE - 1}(0);
    }

    function test_the_excess_goes_back() external {
        uint256 before = ALICE.balance;
        vm.prank(ALICE);
        inbox.forceCancel{value: 1 ether}(0);
        assertEq(before - ALICE.balance, BASE_FEE, "only the fee");
        assertEq(address(inbox).balance, 0, "nothing stays");
    }

    function test_a_payer_that_refuses_the_excess_is_refused() external {
        Payer payer = new Payer();
        vm.deal(address(payer), 1 ether);
        payer.set(false, true);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInbox.ExcessNotAccepted.selector, address(payer), 1 ether - BASE_FEE
            )
        );
        payer.cancel(inbox, 1 ether);
    }

    /// @notice Entering again from the excess queues one more request after the first, both whole.
    function test_entering_again_finds_everything_written() external {
        Payer payer = new Payer();
        vm.deal(address(payer), 1 ether);
        payer.set(true, false);
        payer.cancel(inbox, 1 ether);
        assertEq(inbox.length(), 2, "two requests");
        bytes memory request = abi.encodePacked(hex"07000000", address(payer));
        bytes32 first = keccak256(abi.encodePacked(bytes32(0), request));
        assertEq(inbox.rollingHash(1), first, "first");
        assertEq(inbox.rollingHash(2), keccak256(abi.encodePacked(first, request)), "second");
        assertEq(address(payer).balance, 1 ether - 2 * BASE_FEE, "two fees");
    }

    // -------------------------------------------------------------------------------- rolling hash

    /// @notice Hash and sums of any sequence, computed beside the contract.
    function testFuzz_hash_and_sums_of_any_sequence(uint256 seed) external {
        bytes32 hash = 0;
        uint256 sum = 0;
        uint256 count = bound(seed, 1, 12);
        for (uint256 k = 0; k < count; ++k) {
            uint64 amount = uint64(bound(uint256(keccak256(abi.encode(seed, k))), 1, 1e12));
            uint256 cost = inbox.fee();
            vm.prank(BOB);
            if (amount & 1 == 0) {
                inbox.depositToFund{value: cost}(3, amount);
                hash = keccak256(abi.encodePacked(hash, hex"0103", BOB, amount));
                sum += amount;
            } else {
                inbox.forceWithdrawal{value: cost}(0, amount);
                hash = keccak256(abi.encodePacked(hash, hex"04000000", BOB, amount));
            }
            assertEq(inbox.rollingHash(uint64(k + 1)), hash, "hash");
            assertEq(inbox.depositsBefore(uint64(k + 1)), sum, "sum");
        }
        assertEq(inbox.rollingHash(uint64(count + 1)), 0, "none after the end");
        assertEq(vault.received(), sum, "tokens");
    }
}
