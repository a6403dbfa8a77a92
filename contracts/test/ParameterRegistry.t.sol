// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParameterRegistry} from "../src/interfaces/IParameterRegistry.sol";
import {ParameterBytes} from "../src/libraries/ParameterBytes.sol";
import {Vm} from "./Base.sol";
import {Venue} from "./Venue.sol";

contract ParameterRegistryTest is Venue {
    bytes private present;
    bytes private next;

    function setUp() public override {
        super.setUp();
        present = _named(_parameters(3, 125_000));
        next = _named(_parameters(4, 100_000));
    }

    function _named(bytes memory bytes_) private view returns (bytes memory) {
        _name(bytes_, address(settlement));
        return bytes_;
    }

    function _announce(bytes memory bytes_) private {
        vm.prank(GOVERNOR);
        parameters.announceParameters(bytes_);
    }

    // ---------------------------------------------------------------------------------- parameters

    function test_announced_parameters_take_effect_after_the_time_lock() external {
        bytes32 before = parameters.current();
        _announce(next);
        (bytes32 digest, uint64 time) = parameters.announced();
        assertEq(time, _time() + 30 days, "activation time");
        vm.warp(time - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.TooEarly.selector, time - 1, time)
        );
        parameters.activateParameters(next);
        vm.warp(time);
        vm.prank(BOB);
        parameters.activateParameters(next);
        assertEq(parameters.current(), digest, "current");
        (bytes32 previous, uint64 until) = parameters.previous();
        assertEq(previous, before, "previous");
        assertEq(until, time + 1 hours, "for an hour");
        (digest,) = parameters.announced();
        assertEq(digest, 0, "nothing is announced");
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.NothingAnnounced.selector));
        parameters.activateParameters(next);
    }

    function test_activates_nothing_but_what_was_announced() external {
        _announce(next);
        vm.warp(_time() + 30 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.NotAnnounced.selector, keccak256(present), keccak256(next)
            )
        );
        parameters.activateParameters(present);
    }

    function test_a_new_announcement_starts_again() external {
        _announce(next);
        vm.warp(_time() + 29 days);
        _announce(next);
        vm.warp(_time() + 29 days);
        vm.expectPartialRevert(IParameterRegistry.TooEarly.selector);
        parameters.activateParameters(next);
    }

    function test_the_governor_withdraws_an_announcement() external {
        _announce(next);
        vm.prank(GOVERNOR);
        parameters.voidAnnouncement();
        vm.warp(_time() + 31 days);
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.NothingAnnounced.selector));
        parameters.activateParameters(next);
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.NothingAnnounced.selector));
        vm.prank(GOVERNOR);
        parameters.voidAnnouncement();
    }

    function test_refuses_parameters_of_another_venue() external {
        bytes memory other = next;
        other[27] = bytes1(uint8(other[27]) ^ 1);
        vm.expectPartialRevert(IParameterRegistry.WrongVenue.selector);
        _announce(other);
        other = next;
        other[7] = bytes1(uint8(other[7]) ^ 1);
        vm.expectPartialRevert(IParameterRegistry.WrongVenue.selector);
        _announce(other);
    }

    // --------------------------------------------------------------------------------- oracle keys

    function test_an_oracle_key_is_removed_at_once() external {
        bytes32 before = parameters.current();
        vm.recordLogs();
        vm.prank(GOVERNOR);
        parameters.removeOracleKey(present, 1);
        assertTrue(parameters.current() != before, "other digest");
        assertTrue(parameters.isAcceptable(before), "the old ones for an hour");
        vm.warp(_time() + 1 hours + 1);
        assertFalse(parameters.isAcceptable(before), "no longer");

        // the event publishes the bytes: without the second key they are those of keys 1 and 3
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (, bytes memory kept) = abi.decode(logs[1].data, (uint64, bytes));
        bytes memory expected = _parametersOf(bytes.concat(_key(1), _key(3)), 125_000);
        assertEq(kept, _named(expected), "bytes");
        // and they are the current ones: the next removal starts from them
        vm.prank(GOVERNOR);
        parameters.removeOracleKey(kept, 1);
        vm.expectPartialRevert(IParameterRegistry.NotCurrent.selector);
        vm.prank(GOVERNOR);
        parameters.removeOracleKey(present, 0);
    }

    function test_removing_a_key_voids_what_might_bring_it_back() external {
        _announce(next);
        vm.prank(GOVERNOR);
        parameters.removeOracleKey(present, 0);
        (bytes32 digest,) = parameters.announced();
        assertEq(digest, 0, "void");
    }

    function test_refuses_a_key_that_is_not_there_and_the_last_one() external {
        vm.startPrank(GOVERNOR);
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.NoSuchOracleKey.selector, 3, 3));
        parameters.removeOracleKey(present, 3);
        parameters.removeOracleKey(present, 2);
        parameters.removeOracleKey(_named(_parameters(2, 125_000)), 1);
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.LastOracleKey.selector));
        parameters.removeOracleKey(_named(_parameters(1, 125_000)), 0);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------------------------- sequencers

    function test_a_sequencer_is_added_after_the_time_lock() external {
        vm.prank(GOVERNOR);
        parameters.announceSequencer(BOB);
        uint256 time = _time() + 30 days;
        vm.warp(time - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.TooEarly.selector, time - 1, time)
        );
        parameters.addSequencer(BOB);
        vm.warp(time);
        parameters.addSequencer(BOB);
        assertTrue(parameters.isSequencer(BOB), "added");
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.UnknownSequencer.selector, BOB));
        parameters.addSequencer(BOB);
    }

    function test_a_sequencer_is_removed_at_once_announced_or_not() external {
        vm.startPrank(GOVERNOR);
        parameters.removeSequencer(SEQUENCER);
        assertFalse(parameters.isSequencer(SEQUENCER), "removed");
        parameters.announceSequencer(BOB);
        parameters.removeSequencer(BOB);
        vm.warp(_time() + 31 days);
        bytes4 selector = IParameterRegistry.UnknownSequencer.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, BOB));
        parameters.addSequencer(BOB);
        vm.expectRevert(abi.encodeWithSelector(selector, CAROL));
        parameters.removeSequencer(CAROL);
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.ZeroAddress.selector, "sequencer")
        );
        parameters.announceSequencer(address(0));
        vm.stopPrank();
    }

    // -------------------------------------------------------------------------- lever and governor

    function test_the_emergency_lever() external {
        assertFalse(parameters.tradesForbidden(), "allowed");
        vm.prank(GOVERNOR);
        parameters.forbidTrades(true);
        assertTrue(parameters.tradesForbidden(), "forbidden");
        _deposit(ALICE, 1e6);
        _full(1); // no exit is touched
        vm.prank(GOVERNOR);
        parameters.forbidTrades(false);
        assertFalse(parameters.tradesForbidden(), "allowed again");
    }

    function test_only_the_governor_governs() external {
        bytes memory expected =
            abi.encodeWithSelector(IParameterRegistry.NotGovernor.selector, ALICE);
        vm.startPrank(ALICE);
        vm.expectRevert(expected);
        parameters.announceParameters(next);
        vm.expectRevert(expected);
        parameters.voidAnnouncement();
        vm.expectRevert(expected);
        parameters.removeOracleKey(present, 0);
        vm.expectRevert(expected);
        parameters.announceSequencer(ALICE);
        vm.expectRevert(expected);
        parameters.removeSequencer(SEQUENCER);
        vm.expectRevert(expected);
        parameters.forbidTrades(true);
        vm.stopPrank();
    }

    // ----------------------------------------------------------------------------------- the bytes

    function test_every_byte_of_parameters_counts() external {
        bytes32 before = parameters.current();
        for (uint256 k = 28; k < next.length; ++k) {
            bytes memory other = next;
            other[k] = bytes1(uint8(other[k]) ^ 1);
            vm.prank(GOVERNOR);
            (bool accepted,) = address(parameters)
                .call(abi.encodeCall(IParameterRegistry.announceParameters, (other)));
            if (!accepted) continue; // a count, a key out of order, a value out of range
            (bytes32 digest,) = parameters.announced();
            assertTrue(digest != before, "another digest");
            before = digest;
        }
    }

    function test_refuses_bytes_cut_short_or_followed() external {
        for (uint256 length = 0; length < next.length; ++length) {
            bytes memory short = new bytes(length);
            for (uint256 k = 0; k < length; ++k) {
                short[k] = next[k];
            }
            vm.expectPartialRevert(ParameterBytes.ParametersTruncated.selector);
            _announce(short);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                ParameterBytes.ParametersTrailing.selector, next.length, next.length + 1
            )
        );
        _announce(bytes.concat(next, hex"00"));
    }

    /// @notice Any bytes are parameters or are refused by name: no panic, no running out of bounds.
    function testFuzz_bytes_are_refused_by_name(bytes calldata tail, uint256 place) external {
        bytes memory other = next;
        uint256 start = bound(place, 28, other.length - 1);
        for (uint256 k = 0; k < tail.length && start + k < other.length; ++k) {
            other[start + k] = tail[k];
        }
        vm.prank(GOVERNOR);
        (bool accepted, bytes memory answer) = address(parameters)
            .call(abi.encodeCall(IParameterRegistry.announceParameters, (other)));
        if (accepted) return;
        assertTrue(answer.length >= 4, "a name");
        assertTrue(bytes4(answer) != 0x4e487b71, "no Panic");
    }
}
