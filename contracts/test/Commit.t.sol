// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening, CommittedBatch, ISettlement} from "../src/interfaces/ISettlement.sol";
import {Payment} from "../src/interfaces/IVault.sol";
import {Carrier} from "../src/interfaces/IVerifier.sol";
import {DataOpening} from "../src/libraries/DataOpening.sol";
import {Header} from "../src/libraries/Header.sol";
import {Requests} from "../src/libraries/Requests.sol";
import {Withdrawals} from "../src/libraries/Withdrawals.sol";
import {Venue} from "./Venue.sol";

/// @notice A sequencer that is a contract.
contract Relay {
    function commit(ISettlement settlement, bytes calldata call) external {
        (bool succeeded, bytes memory answer) = address(settlement).call(call);
        if (!succeeded) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}

contract CommitTest is Venue {
    bytes32 private constant D = bytes32(uint256(7));

    /// @dev A commit of the sequencer that must be refused with exactly this error.
    function _refused(bytes memory header, bytes memory contractData, bytes memory expected)
        private
    {
        vm.expectRevert(expected);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, D, "data", contractData);
    }

    function _refused(bytes memory header, bytes memory expected) private {
        Draft memory draft;
        _refused(header, _contractData(draft), expected);
    }

    /// @dev The header that follows with a field overwritten.
    function _headerWith(uint256 offset, bytes memory value)
        private
        returns (bytes memory header)
    {
        Draft memory draft;
        header = _header(draft);
        for (uint256 k = 0; k < value.length; ++k) {
            header[offset + k] = value[k];
        }
    }

    function _wrong(string memory field, uint256 value, uint256 expected)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(ISettlement.WrongHeader.selector, field, value, expected);
    }

    // -------------------------------------------------------------------------------- what is kept

    function test_genesis_is_batch_zero() external view {
        assertEq(_hash(head), settlement.batchHash(0), "hash");
        assertEq(head.body.header.length, 195, "length");
        assertEq(_field(head.body.header, 7, 4), _time() - 10, "time");
        assertEq(bytes32(_field(head.body.header, 35, 32)), parameters.current(), "parameters");
        assertEq(bytes32(_field(head.body.header, 131, 32)), GENESIS_SETTLEMENT_ROOT, "settlement");
        assertEq(bytes32(_field(head.body.header, 163, 32)), GENESIS_ROOT, "root");
        assertTrue(settlement.isFinal(0, _hash(head)), "final");
    }

    function test_commit_keeps_one_hash_of_everything() external {
        _deposit(ALICE, 10e6);
        CommittedBatch memory batch = _full(1);
        assertEq(settlement.committed(), 1, "committed");
        assertEq(settlement.finalized(), 0, "finalized");
        assertEq(settlement.committedCursor(), 1, "cursor");
        assertEq(settlement.batchHash(1), _hash(batch), "hash");
        bytes32 body = keccak256(abi.encode(batch.body));
        assertEq(_hash(batch), keccak256(abi.encode(body, batch.withdrawalsRoot)), "two levels");
        assertEq(batch.body.sequencer, SEQUENCER, "sequencer");
        assertEq(batch.body.committedBlock, _block(), "block");
        assertEq(batch.body.opening.dataDigest, D, "D");
        assertEq(batch.body.opening.dataPolynomials, 1, "data polynomials");
        assertEq(batch.body.opening.polynomials.length, 2, "polynomials");
        assertEq(batch.body.opening.polynomials[0].length, 4, "length of the data");
        assertTrue(batch.body.opening.polynomials[0].carrier == Carrier.CALLDATA, "carrier");
        // "data" is one coefficient: P(z) = "data" ‖ 27 zero bytes whatever z is
        assertEq(batch.body.opening.polynomials[0].value, uint256(bytes32("data")) >> 8, "value");
        assertEq(settlement.balances(SEQUENCER), 99 ether, "bond");
    }

    function test_a_commit_writes_two_words_for_itself_and_constant_ones() external {
        _full();
        _full();
        bytes32 first = settlement.batchHash(1);
        _full();
        assertEq(settlement.batchHash(1), first, "older ones stay");
        assertTrue(settlement.batchHash(3) != settlement.batchHash(2), "each its own");
    }

    // ----------------------------------------------------------------------------- who and whether

    function test_refuses_a_stranger() external {
        Draft memory draft;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotSequencer.selector, BOB));
        vm.prank(BOB, BOB);
        settlement.commitCalldata(head, header, D, "data", contractData);
    }

    function test_refuses_a_removed_sequencer() external {
        vm.prank(GOVERNOR);
        parameters.removeSequencer(SEQUENCER);
        Draft memory draft;
        _refused(
            _header(draft), abi.encodeWithSelector(ISettlement.NotSequencer.selector, SEQUENCER)
        );
    }

    function test_refuses_calls_through_a_contract() external {
        Relay relay = new Relay();
        Draft memory draft;
        bytes memory call = abi.encodeCall(
            ISettlement.commitCalldata, (head, _header(draft), D, "data", _contractData(draft))
        );
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotDirectCall.selector, address(relay)));
        vm.prank(SEQUENCER, SEQUENCER);
        relay.commit(settlement, call);
    }

    /// @notice An account with delegated code could send itself a transaction and call from inside.
    function test_refuses_an_account_with_delegated_code() external {
        vm.etch(SEQUENCER, abi.encodePacked(hex"ef0100", BOB));
        Draft memory draft;
        _refused(
            _header(draft), abi.encodeWithSelector(ISettlement.NotDirectCall.selector, SEQUENCER)
        );
    }

    function test_refuses_another_parent() external {
        CommittedBatch memory first = _full();
        _full();
        head = first;
        Draft memory draft;
        _refused(
            _header(draft),
            abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 2, _hash(first))
        );
    }

    function test_refuses_a_changed_parent() external {
        _full();
        head.body.paymentsTotal += 1;
        Draft memory draft;
        _refused(
            _header(draft),
            abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, _hash(head))
        );
    }

    function test_refuses_without_a_bond() external {
        uint256 balance = settlement.balances(SEQUENCER);
        vm.prank(SEQUENCER);
        settlement.withdrawBalance(balance - BOND + 1);
        Draft memory draft;
        _refused(
            _header(draft),
            abi.encodeWithSelector(ISettlement.BalanceTooSmall.selector, SEQUENCER, BOND - 1, BOND)
        );
    }

    function test_refuses_when_frozen() external {
        _forceCancel(ALICE);
        _mine(COMMIT_TIME + 1);
        settlement.freezeForRequest(0);
        Draft memory draft;
        _refused(_header(draft), abi.encodeWithSelector(ISettlement.VenueFrozen.selector));
    }

    // ---------------------------------------------------------------------------------- the header

    function test_refuses_bytes_that_are_no_header() external {
        Draft memory draft;
        bytes memory header = _header(draft);
        _refused(
            bytes.concat(header, hex"00"),
            abi.encodeWithSelector(Header.HeaderLength.selector, 196, 195)
        );
        _refused(
            _headerWith(0, hex"02"),
            abi.encodeWithSelector(Header.HeaderByte.selector, "version", 2, 2)
        );
        _refused(
            _headerWith(1, hex"02"),
            abi.encodeWithSelector(Header.HeaderByte.selector, "form", 2, 2)
        );
    }

    function test_refuses_another_number() external {
        _refused(_headerWith(3, hex"00000002"), _wrong("number", 2, 1));
        _full();
        _refused(_headerWith(3, hex"00000001"), _wrong("number", 1, 2));
    }

    function test_refuses_another_fork() external {
        _refused(_headerWith(11, hex"00000001"), _wrong("fork", 1, 0));
    }

    function test_refuses_another_venue_epoch() external {
        _refused(_headerWith(15, hex"00000001"), _wrong("venueEpoch", 1, 0));
        // a reset of slots without a new epoch
        bytes memory header = _headerWith(2, hex"01");
        _refused(header, _wrong("venueEpoch", 0, 1));
    }

    function test_refuses_roots_that_do_not_follow() external {
        bytes memory root = abi.encodePacked(bytes32(uint256(0x33)));
        _refused(
            _headerWith(67, root),
            _wrong("settlementRootBefore", 0x33, uint256(GENESIS_SETTLEMENT_ROOT))
        );
        _refused(_headerWith(99, root), _wrong("rootBefore", 0x33, uint256(GENESIS_ROOT)));
    }

    function test_refuses_a_time_ahead_of_l1() external {
        uint256 now_ = _time();
        bytes memory time = abi.encodePacked(uint32(now_ + 1));
        _refused(
            _headerWith(7, time),
            abi.encodeWithSelector(ISettlement.WrongTime.selector, now_ + 1, now_ - 10, now_)
        );
    }

    function test_refuses_a_time_that_runs_back() external {
        _full();
        _mine(10);
        uint256 before = _time() - 120;
        bytes memory time = abi.encodePacked(uint32(before - 1));
        _refused(
            _headerWith(7, time),
            abi.encodeWithSelector(ISettlement.WrongTime.selector, before - 1, before, _time())
        );
    }

    function test_refuses_a_time_that_lags() external {
        vm.warp(_time() + 2 days);
        uint256 low = _time() - 1 days;
        bytes memory late = _headerWith(7, abi.encodePacked(uint32(low - 1)));
        _refused(
            late, abi.encodeWithSelector(ISettlement.WrongTime.selector, low - 1, low, _time())
        );
        bytes memory header = _headerWith(7, abi.encodePacked(uint32(low)));
        Draft memory draft;
        bytes memory contractData = _contractData(draft);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, D, "data", contractData);
        assertEq(settlement.committed(), 1, "just in time");
    }

    function test_refuses_other_parameters() external {
        bytes32 other = bytes32(uint256(0x44));
        _refused(
            _headerWith(35, abi.encodePacked(other)),
            abi.encodeWithSelector(ISettlement.WrongParameters.selector, other)
        );
    }

    function test_accepts_the_previous_parameters_for_an_hour() external {
        Draft memory draft;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        bytes memory current = _genesisParameters();
        _name(current, address(settlement));
        vm.prank(GOVERNOR);
        parameters.removeOracleKey(current, 1);
        bytes32 before = bytes32(_field(header, 35, 32));
        assertTrue(before != parameters.current(), "other parameters");

        vm.warp(_time() + 1 hours + 1);
        _refused(header, abi.encodeWithSelector(ISettlement.WrongParameters.selector, before));
        vm.warp(_time() - 1);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, D, "data", contractData);
        assertEq(settlement.committed(), 1, "within the hour");
    }

    // ------------------------------------------------------------------------------------ the form

    function test_refuses_full_after_diff_without_a_reset() external {
        _diff();
        Draft memory draft;
        _refused(_header(draft), abi.encodeWithSelector(ISettlement.SlotsUnknown.selector, 2));
        draft.resetSlots = true;
        _commit(draft);
        draft.resetSlots = false;
        _commit(draft);
        assertEq(settlement.committed(), 3, "full follows full");
    }

    function test_a_diff_that_begins_with_a_reset_does_not_make_slots_known() external {
        Draft memory draft;
        draft.isDiff = true;
        draft.resetSlots = true;
        _commit(draft);
        draft.isDiff = false;
        draft.resetSlots = false;
        _refused(_header(draft), abi.encodeWithSelector(ISettlement.SlotsUnknown.selector, 2));
    }

    // -------------------------------------------------------------------------------- the requests

    function test_takes_the_requests_in_order() external {
        _deposit(ALICE, 5e6);
        _forceCancel(BOB);
        _deposit(BOB, 7e6);
        _full(2);
        assertEq(settlement.committedCursor(), 2, "two");
        _full(0);
        assertEq(settlement.committedCursor(), 2, "none");
        _diff(1);
        assertEq(settlement.committedCursor(), 3, "the third");
    }

    function test_refuses_requests_out_of_order_or_invented() external {
        _deposit(ALICE, 5e6);
        _deposit(BOB, 7e6);
        bytes memory first = requests[0];
        requests[0] = requests[1];
        requests[1] = first;
        Draft memory draft;
        draft.requests = 2;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectPartialRevert(ISettlement.WrongRequests.selector);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, D, "data", contractData);
    }

    function test_refuses_a_request_that_is_not_in_the_inbox() external {
        _deposit(ALICE, 5e6);
        requests.push(requests[0]);
        Draft memory draft;
        draft.requests = 2;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectPartialRevert(ISettlement.WrongRequests.selector);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, D, "data", contractData);
    }

    function test_refuses_a_cursor_that_skips_or_counts_wrongly() external {
        _deposit(ALICE, 5e6);
        _deposit(BOB, 7e6);
        Draft memory draft;
        draft.requests = 1;
        bytes memory contractData = _contractData(draft);
        bytes memory header = _header(draft);
        header[34] = 0x02;
        _refused(header, contractData, _wrong("inboxAfter", 2, 1));
        header = _header(draft);
        header[26] = 0x01;
        _refused(header, contractData, _wrong("inboxBefore", 1, 0));
    }

    function test_refuses_too_many_requests() external {
        for (uint256 k = 0; k < 5; ++k) {
            _forceCancel(ALICE);
        }
        Draft memory draft;
        draft.requests = 5;
        _refused(
            _header(draft),
            _contractData(draft),
            abi.encodeWithSelector(Requests.TooManyRequests.selector, 5, 4)
        );
        draft.requests = 4;
        _commit(draft);
        assertEq(settlement.committedCursor(), 4, "four fit");
    }

    // -------------------------------------------------------------------------------- the payments

    function _paying(uint64 amount, uint256 count) private pure returns (Draft memory draft) {
        draft.payments = new Payment[](count);
        for (uint256 k = 0; k < count; ++k) {
            draft.payments[k] = Payment(uint32(k), ALICE, amount);
        }
    }

    function test_payments_never_exceed_processed_deposits() external {
        _deposit(ALICE, 10e6);
        _deposit(BOB, 90e6); // waits: pays nobody
        Draft memory draft = _paying(5e6 + 1, 2);
        draft.requests = 1;
        _refused(
            _header(draft),
            _contractData(draft),
            abi.encodeWithSelector(ISettlement.PaymentsTooLarge.selector, 10e6 + 2, 10e6)
        );
        draft = _paying(5e6, 2);
        draft.requests = 1;
        CommittedBatch memory batch = _commit(draft);
        assertEq(batch.body.paymentsTotal, 10e6, "total");
        assertEq(batch.body.paymentsCount, 2, "count");
        draft = _paying(1, 1);
        _refused(
            _header(draft),
            _contractData(draft),
            abi.encodeWithSelector(ISettlement.PaymentsTooLarge.selector, 10e6 + 1, 10e6)
        );
    }

    function test_refuses_payments_that_are_cut_or_followed() external {
        Draft memory draft = _paying(1, 1);
        bytes memory data = _contractData(draft);
        _refused(
            _header(draft),
            bytes.concat(data, hex"00"),
            abi.encodeWithSelector(Withdrawals.PaymentsLength.selector, 37, 36)
        );
    }

    // -------------------------------------------------------------------------------- the carriers

    function test_refuses_a_digest_that_is_none() external {
        Draft memory draft;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectRevert(); // Goldilocks.DigestNotCanonical
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, bytes32(type(uint256).max), "data", contractData);
    }

    function test_refuses_blobs_that_are_not_there() external {
        Draft memory draft;
        draft.isDiff = true;
        BlobOpening[] memory blobs = new BlobOpening[](1);
        blobs[0] = BlobOpening(5, 1, new bytes(48), new bytes(48));
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectRevert(abi.encodeWithSelector(DataOpening.WrongBlobs.selector, 0));
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitBlobs(head, header, D, blobs, contractData);
    }

    /// @dev One blob whose opening the precompile is made to accept, or refuse.
    function _blob(bool accepted) private returns (BlobOpening[] memory blobs) {
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = bytes32(uint256(0x01) << 248 | 0xb10b);
        vm.blobhashes(hashes);
        uint256 r = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
        vm.mockCall(address(0x0a), "", accepted ? abi.encode(4096, r) : bytes(""));
        blobs = new BlobOpening[](1);
        blobs[0] = BlobOpening(5, 77, new bytes(48), new bytes(48));
    }

    function test_data_in_blobs() external {
        Draft memory draft;
        draft.isDiff = true;
        BlobOpening[] memory blobs = _blob(true);
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.recordLogs();
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitBlobs(head, header, D, blobs, contractData);
        CommittedBatch memory batch = _lastBatch(vm.getRecordedLogs());
        assertEq(batch.body.opening.polynomials.length, 2, "blob and contract's part");
        assertTrue(batch.body.opening.polynomials[0].carrier == Carrier.BLOB, "blob");
        assertEq(batch.body.opening.polynomials[0].length, 5, "declared length");
        assertEq(batch.body.opening.polynomials[0].value, 77, "y");
        assertTrue(batch.body.opening.polynomials[1].carrier == Carrier.CALLDATA, "calldata");
        bytes32 tag = keccak256("novate data point");
        bytes32 own = keccak256(contractData);
        bytes32 blob = bytes32(uint256(0x01) << 248 | 0xb10b);
        bytes32 z = keccak256(abi.encodePacked(tag, D, uint8(2), blob, own, header));
        uint256 r = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
        assertEq(batch.body.opening.point, uint256(z) % r, "z");
        assertEq(settlement.batchHash(1), _hash(batch), "kept");
    }

    function test_refuses_a_blob_value_that_the_precompile_refuses() external {
        Draft memory draft;
        draft.isDiff = true;
        BlobOpening[] memory blobs = _blob(false);
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectPartialRevert(DataOpening.BlobValueRefused.selector);
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitBlobs(head, header, D, blobs, contractData);
    }

    // -------------------------------------------------------------------------------------- limits

    /// @notice Any number of deposits and requests taken in any cuts leave cursor and sums right.
    function testFuzz_cursor_and_totals_follow_the_requests(uint256 seed) external {
        uint256 queued = bound(seed, 1, 6);
        for (uint256 k = 0; k < queued; ++k) {
            if (uint256(keccak256(abi.encode(seed, k))) & 1 == 0) _forceCancel(BOB);
            else _deposit(ALICE, uint64(1 + k));
        }
        uint256 taken = 0;
        while (taken < queued) {
            uint256 some = bound(uint256(keccak256(abi.encode(seed, taken))), 0, 4);
            if (some > queued - taken) some = queued - taken;
            if (some & 1 == 0) _full(some);
            else _diff(some);
            taken += some;
            assertEq(settlement.committedCursor(), taken, "cursor");
            if (settlement.committed() > 20) break; // many draws of none
        }
        assertEq(
            settlement.balances(SEQUENCER), 100 ether - settlement.committed() * BOND, "bonds"
        );
    }
}

contract PendingTest is Venue {
    function test_refuses_more_pending_batches_than_allowed() external {
        vm.prank(SEQUENCER);
        settlement.addBalance{value: 600 ether}();
        for (uint256 k = 0; k < 600; ++k) {
            _full();
        }
        Draft memory draft;
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.TooManyPending.selector, 600, 600));
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, bytes32(0), "data", contractData);
    }
}
