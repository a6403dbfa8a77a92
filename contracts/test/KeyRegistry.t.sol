// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RequestKind} from "../src/interfaces/IInbox.sol";
import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {Venue} from "./Venue.sol";

contract KeyRegistryTest is Venue {
    uint256 private constant SECRET = 0xa11ce5ec4e7;
    /// @dev Order of secp256k1.
    uint256 private constant N =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    uint64[5] private key = [uint64(1), 2, 3, 4, 5];
    address private owner;
    uint256 private deadline;

    function setUp() public override {
        super.setUp();
        owner = vm.addr(SECRET);
        deadline = _time() + 1 hours;
    }

    /// @dev The digest of EIP-712 written out again.
    function _digest(bytes memory message) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,"
                    "address verifyingContract)"
                ),
                keccak256("Novate KeyRegistry"),
                keccak256("1"),
                31_337,
                address(keys)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(message)));
    }

    function _keyDigest(uint32 account, uint256 nonce) private view returns (bytes32) {
        return _digest(
            abi.encode(
                keccak256(
                    "RegisterKey(address owner,uint32 account,uint64[5] key,"
                    "uint256 nonce,uint256 deadline)"
                ),
                owner,
                account,
                keccak256(
                    abi.encodePacked(uint256(1), uint256(2), uint256(3), uint256(4), uint256(5))
                ),
                nonce,
                deadline
            )
        );
    }

    function _signed(bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SECRET, digest);
        return abi.encodePacked(r, s, v);
    }

    function _register(bytes memory signature) private returns (uint64) {
        vm.prank(BOB);
        return keys.registerKeyFor{value: BASE_FEE}(owner, 0, key, deadline, signature);
    }

    function _refused(bytes memory signature) private {
        bytes4 selector = IKeyRegistry.InvalidSignature.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, owner, keys.nonces(owner)));
        _register(signature);
    }

    function test_the_owner_sends() external {
        vm.recordLogs();
        vm.prank(ALICE);
        uint64 index = keys.registerKey{value: 1 ether}(0, key);
        _noteRequests();
        assertEq(uint256(inbox.request(index).kind), uint256(RequestKind.REGISTER_KEY), "kind");
        assertEq(_field(requests[0], 4, 20), uint160(ALICE), "owner");
        assertEq(ALICE.balance, 1000 ether - BASE_FEE, "excess went back to the owner");
        vm.recordLogs();
        vm.prank(ALICE);
        index = keys.allowOwner{value: BASE_FEE}(0, BOB);
        _noteRequests();
        assertEq(requests[1], abi.encodePacked(hex"03000000", ALICE, BOB), "request");
    }

    function test_anyone_sends_what_the_owner_signed() external {
        vm.recordLogs();
        uint64 index = _register(_signed(_keyDigest(0, 0)));
        _noteRequests();
        assertEq(uint256(inbox.request(index).kind), uint256(RequestKind.REGISTER_KEY), "kind");
        assertEq(_field(requests[0], 4, 20), uint160(owner), "owner");
        assertEq(keys.nonces(owner), 1, "nonce");
        assertEq(keys.nonces(BOB), 0, "of the owner only");
    }

    function test_a_signature_for_the_allow_list() external {
        bytes32 digest = _digest(
            abi.encode(
                keccak256(
                    "AllowOwner(address owner,uint32 account,address allowed,"
                    "uint256 nonce,uint256 deadline)"
                ),
                owner,
                0,
                CAROL,
                0,
                deadline
            )
        );
        vm.recordLogs();
        vm.prank(BOB);
        keys.allowOwnerFor{value: BASE_FEE}(owner, 0, CAROL, deadline, _signed(digest));
        _noteRequests();
        assertEq(requests[0], abi.encodePacked(hex"03000000", owner, CAROL), "request");
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.InvalidSignature.selector, owner, 1));
        vm.prank(BOB);
        keys.allowOwnerFor{value: BASE_FEE}(owner, 0, CAROL, deadline, _signed(digest));
    }

    function test_a_signature_counts_once() external {
        bytes memory signature = _signed(_keyDigest(0, 0));
        _register(signature);
        _refused(signature);
        _register(_signed(_keyDigest(0, 1)));
        assertEq(keys.nonces(owner), 2, "the next");
    }

    function test_refuses_a_signature_over_something_else() external {
        _refused(_signed(_keyDigest(1, 0)));
        _refused(_signed(_keyDigest(0, 1)));
        bytes32 digest = _keyDigest(0, 0);
        deadline += 1;
        _refused(_signed(digest));
    }

    function test_refuses_malformed_and_malleable_signatures() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SECRET, _keyDigest(0, 0));
        _refused(abi.encodePacked(r, s));
        _refused(abi.encodePacked(r, s, v, v));
        _refused(abi.encodePacked(r, s, uint8(29)));
        _refused(abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
        _register(abi.encodePacked(r, s, v));
    }

    function test_a_bad_signature_is_not_of_nobody() external {
        owner = address(0);
        _refused(new bytes(65));
    }

    function test_refuses_after_the_deadline() external {
        bytes memory signature = _signed(_keyDigest(0, 0));
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyRegistry.Expired.selector, deadline, deadline + 1)
        );
        _register(signature);
        vm.warp(deadline);
        _register(signature);
    }

    function test_an_owner_can_void_what_it_signed() external {
        bytes memory signature = _signed(_keyDigest(0, 0));
        vm.prank(owner);
        keys.cancelNonce();
        _refused(signature);
    }

    function test_the_domain_separator_is_of_this_contract() external view {
        bytes32 structHash = keccak256("x");
        assertEq(
            _digest("x"),
            keccak256(abi.encodePacked(hex"1901", keys.domainSeparator(), structHash)),
            "separator"
        );
    }
}
