// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a polynomial of a batch's data is published in.
enum Carrier {
    /// Coefficients of 31 bytes in the commit transaction's calldata.
    CALLDATA,
    /// Evaluations in a blob of the commit transaction (EIP-4844).
    BLOB
}

/// @notice One polynomial of a batch's data, opened at the batch's point z.
struct Polynomial {
    Carrier carrier;
    /// Bytes of data in it, at most 126,976; what follows in the last chunk is zero.
    uint32 length;
    /// y = P(z), below the BLS12-381 scalar modulus r; checked against the carrier at commit.
    uint256 value;
}

/// @notice A batch's data as the proof sees them.
struct Opening {
    /// D: Poseidon2 digest of all coefficients with carriers and lengths; four little-endian
    /// elements.
    bytes32 dataDigest;
    /// z = keccak(tag, D, number of polynomials, carrier hashes, header) mod r.
    uint256 point;
    /// The first so many polynomials are the data (`full` or `diff`), the others the contract's
    /// part.
    uint8 dataPolynomials;
    Polynomial[] polynomials;
}

/// @notice Public values of a proof. Lengths and the border between data and the contract's part
/// are among them because neither z nor P(z) tells trailing zeros, or two ways to cut, apart.
struct Statement {
    /// The 195 bytes of the batch's header.
    bytes header;
    Opening opening;
    /// Who is paid for the proof: bound here, so that a proof copied from the mempool pays its
    /// author.
    address payee;
}

/// @title The proof verifier as the settlement contract knows it
/// @notice Stateless. A statement says: there is a batch whose data have digest D, whose
/// polynomials take the values y at z and decode without a rest, and which the law carries from the
/// roots before to the roots after of the header, with the requests and payments of the contract's
/// part.
interface IVerifier {
    /// @notice Whether the proof proves the statement. May revert instead of returning false.
    function verify(Statement calldata statement, bytes calldata proof)
        external
        view
        returns (bool valid);
}
