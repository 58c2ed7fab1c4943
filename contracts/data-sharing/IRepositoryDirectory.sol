// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IRepositoryDirectory
/// @notice Where certified repositories and directories are reached, with which TLS key, and the hash of what they say
/// about themselves, so that a directory which lies is caught.
/// @dev WARNING: an entry is its member's own statement. That the endpoint answers, or that the metadata is true, is not
/// promised. An entry stays when the certification lapses, marked as not certified.
interface IRepositoryDirectory {
    /// @notice `tlsFingerprint` is the SHA-256 of the certificate (DER). `certified` holds now, for this role.
    struct Entry {
        address member;
        bytes32 role;
        string endpoint;
        bytes32 tlsFingerprint;
        bytes32 metadataHash;
        uint48 updatedBlock;
        bool certified;
    }

    /// @notice A member wrote its entry.
    event EntrySet(
        address indexed member,
        bytes32 indexed role,
        string endpoint,
        bytes32 tlsFingerprint,
        bytes32 metadataHash
    );
    /// @notice A member removed its entry.
    event EntryRemoved(address indexed member, bytes32 indexed role);

    /// @notice Entries exist for the roles "repository" and "directory".
    error InvalidEntryRole(bytes32 role);
    /// @notice Only members certified now for the role may write.
    error UncertifiedMember(address member, bytes32 role);
    /// @notice An endpoint has 1 to 256 bytes; the fingerprint and the metadata hash are not zero.
    error InvalidEntry(address member, bytes32 role);
    /// @notice The member has no entry for this role.
    error UnknownEntry(address member, bytes32 role);
    /// @notice A page has at most `max` entries.
    error PageTooLarge(uint256 limit, uint256 max);

    /// @notice Writes or replaces the caller's entry for `role`. Members certified for the role only.
    function setEntry(bytes32 role, string calldata endpoint, bytes32 tlsFingerprint, bytes32 metadataHash) external;

    /// @notice Removes the caller's entry. Certified or not: everyone may leave.
    function remove(bytes32 role) external;

    /// @notice The entry; its fields are empty (`updatedBlock` zero) if there is none.
    function entryOf(address member, bytes32 role) external view returns (Entry memory);

    /// @notice Entries of a role from `offset` on, at most `limit` (up to 100), each marked whether certified now.
    /// @dev Removing moves the last entry into the gap; read all pages at one block.
    function entriesOf(bytes32 role, uint256 offset, uint256 limit) external view returns (Entry[] memory);

    /// @notice Number of entries of a role, those not certified now included.
    function entryCount(bytes32 role) external view returns (uint256);

    /// @notice The metadata hash at the end of a mined block, zero if there was no entry.
    function metadataHashAt(address member, bytes32 role, uint48 blockNumber) external view returns (bytes32);
}
