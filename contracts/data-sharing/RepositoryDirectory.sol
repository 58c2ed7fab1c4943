// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {BlockHistory} from "../ledger/BlockHistory.sol";
import {ICertifications} from "../trust-framework/ICertifications.sol";
import {TrustRoles} from "../trust-framework/TrustRoles.sol";
import {IRepositoryDirectory} from "./IRepositoryDirectory.sol";

/// @title RepositoryDirectory
/// @notice See {IRepositoryDirectory}. There is no owner: each member writes its own entry and no other.
contract RepositoryDirectory is IRepositoryDirectory {
    using Checkpoints for Checkpoints.Trace256;
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice A host name has at most 253 characters (RFC 1035); endpoints have short paths.
    uint256 public constant MAX_ENDPOINT_BYTES = 256;
    /// @notice Keeps one page within the limits that nodes set to calls.
    uint256 public constant MAX_PAGE = 100;

    /// @notice Where certifications are looked up.
    ICertifications public immutable framework;

    struct Record {
        string endpoint;
        bytes32 tlsFingerprint;
        bytes32 metadataHash;
        uint48 updatedBlock;
    }

    mapping(bytes32 role => EnumerableSet.AddressSet) private _members;
    mapping(address member => mapping(bytes32 role => Record)) private _records;
    mapping(address member => mapping(bytes32 role => Checkpoints.Trace256)) private _metadataHashes;

    /// @param framework_ The trust framework that certifies members.
    constructor(ICertifications framework_) {
        framework = framework_;
    }

    /// @inheritdoc IRepositoryDirectory
    function setEntry(
        bytes32 role,
        string calldata endpoint,
        bytes32 tlsFingerprint,
        bytes32 metadataHash
    ) external {
        if (role != TrustRoles.REPOSITORY && role != TrustRoles.DIRECTORY) revert InvalidEntryRole(role);
        if (!framework.isCertified(msg.sender, role)) revert UncertifiedMember(msg.sender, role);
        uint256 length = bytes(endpoint).length;
        if (length == 0 || length > MAX_ENDPOINT_BYTES || tlsFingerprint == 0 || metadataHash == 0) {
            revert InvalidEntry(msg.sender, role);
        }
        _members[role].add(msg.sender);
        _records[msg.sender][role] = Record(endpoint, tlsFingerprint, metadataHash, BlockHistory.current());
        _metadataHashes[msg.sender][role].push(BlockHistory.current(), uint256(metadataHash));
        emit EntrySet(msg.sender, role, endpoint, tlsFingerprint, metadataHash);
    }

    /// @inheritdoc IRepositoryDirectory
    function remove(bytes32 role) external {
        if (!_members[role].remove(msg.sender)) revert UnknownEntry(msg.sender, role);
        delete _records[msg.sender][role];
        _metadataHashes[msg.sender][role].push(BlockHistory.current(), 0);
        emit EntryRemoved(msg.sender, role);
    }

    /// @inheritdoc IRepositoryDirectory
    function entryOf(address member, bytes32 role) public view returns (Entry memory) {
        Record storage r = _records[member][role];
        bool certified = framework.isCertified(member, role);
        return Entry(member, role, r.endpoint, r.tlsFingerprint, r.metadataHash, r.updatedBlock, certified);
    }

    /// @inheritdoc IRepositoryDirectory
    function entriesOf(
        bytes32 role,
        uint256 offset,
        uint256 limit
    ) external view returns (Entry[] memory entries) {
        if (limit > MAX_PAGE) revert PageTooLarge(limit, MAX_PAGE);
        address[] memory page = _members[role].values(offset, Math.saturatingAdd(offset, limit));
        entries = new Entry[](page.length);
        for (uint256 i = 0; i < page.length; ++i) entries[i] = entryOf(page[i], role);
    }

    /// @inheritdoc IRepositoryDirectory
    function entryCount(bytes32 role) external view returns (uint256) {
        return _members[role].length();
    }

    /// @inheritdoc IRepositoryDirectory
    function metadataHashAt(address member, bytes32 role, uint48 blockNumber) external view returns (bytes32) {
        BlockHistory.requireMined(blockNumber);
        return bytes32(_metadataHashes[member][role].upperLookupRecent(blockNumber));
    }
}
