// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {BlockHistory} from "../ledger/BlockHistory.sol";
import {Frameworks} from "./Frameworks.sol";
import {ICertifications} from "./ICertifications.sol";
import {TrustRoles} from "./TrustRoles.sol";

/// @title Certifications
/// @notice See {ICertifications}.
/// @dev Certifications are written once, into a list; what is checkpointed per member and role is the number of the one
/// in force and whether it was revoked (number * 2 + revoked). So each field has a history.
abstract contract Certifications is Frameworks, ICertifications {
    using Checkpoints for Checkpoints.Trace208;
    using Checkpoints for Checkpoints.Trace256;
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;

    /// @notice Bounds the loop over the classes of a vetter.
    uint256 public constant MAX_DATA_CLASSES = 16;
    /// @dev Looked up as a block number, it means the newest state.
    uint48 private constant NOW = type(uint48).max;

    Certification[] private _records;
    EnumerableSet.AddressSet private _certified;
    mapping(address member => EnumerableSet.Bytes32Set) private _roles;
    mapping(address member => mapping(bytes32 role => Checkpoints.Trace208)) private _states;
    mapping(address member => Checkpoints.Trace208) private _suspensions;
    mapping(address member => Checkpoints.Trace256) private _controlGroups;

    /// @dev Record 0 is empty, so that number 0 means "no certification".
    constructor() {
        _records.push();
    }

    /// @inheritdoc ICertifications
    function certify(address member, bytes32 role, Certification calldata certification) external onlyCouncil {
        if (!TrustRoles.isKnown(role)) revert UnknownRole(role);
        if (member == address(0)) revert InvalidMember(member);
        if (_isHeld(member, role)) revert AlreadyCertified(member, role);
        _record(member, role, certification);
        emit MemberCertified(member, role, certification);
    }

    /// @inheritdoc ICertifications
    function renew(address member, bytes32 role, Certification calldata certification) external onlyCouncil {
        if (!_isHeld(member, role)) revert NotCertified(member, role);
        _record(member, role, certification);
        emit CertificationRenewed(member, role, certification);
    }

    /// @inheritdoc ICertifications
    function revokeCertification(address member, bytes32 role, bytes32 reason) external onlyCouncil {
        if (!_isHeld(member, role)) revert NotCertified(member, role);
        Checkpoints.Trace208 storage states = _states[member][role];
        states.push(BlockHistory.current(), states.latest() | 1);
        emit CertificationRevoked(member, role, reason);
    }

    /// @inheritdoc ICertifications
    function suspend(address member, bytes32 reason) external onlyCouncil {
        if (!_certified.contains(member)) revert UnknownMember(member);
        if (isSuspended(member)) revert AlreadySuspended(member);
        _suspensions[member].push(BlockHistory.current(), 1);
        emit MemberSuspended(member, reason);
    }

    /// @inheritdoc ICertifications
    function reinstate(address member, bytes32 reason) external onlyCouncil {
        if (!isSuspended(member)) revert NotSuspended(member);
        _suspensions[member].push(BlockHistory.current(), 0);
        emit MemberReinstated(member, reason);
    }

    /// @inheritdoc ICertifications
    function changeControlGroup(address member, bytes32 newGroup) external onlyCouncil {
        if (!_certified.contains(member)) revert UnknownMember(member);
        bytes32 current = controlGroupOf(member);
        if (newGroup == 0 || newGroup == current) revert ControlGroupMismatch(member, current, newGroup);
        _setControlGroup(member, newGroup);
    }

    /// @inheritdoc ICertifications
    function statusOf(address member, bytes32 role) external view returns (Status) {
        return _status(member, role, NOW, _time());
    }

    /// @inheritdoc ICertifications
    function statusAt(
        address member,
        bytes32 role,
        uint48 blockNumber,
        uint48 timestamp
    ) external view returns (Status) {
        BlockHistory.requireMined(blockNumber);
        return _status(member, role, blockNumber, timestamp);
    }

    /// @inheritdoc ICertifications
    function isCertified(address member, bytes32 role) public view returns (bool) {
        return _status(member, role, NOW, _time()) == Status.Active;
    }

    /// @inheritdoc ICertifications
    function isCertifiedInAnyRole(address member) external view returns (bool) {
        bytes32[] memory roles = rolesOf(member);
        for (uint256 i = 0; i < roles.length; ++i) if (isCertified(member, roles[i])) return true;
        return false;
    }

    /// @inheritdoc ICertifications
    function isCertifiedForClass(address member, bytes32 role, bytes32 dataClass) external view returns (bool) {
        return isCertified(member, role) && _coversClass(member, role, dataClass, NOW);
    }

    /// @inheritdoc ICertifications
    function isCertifiedForClassAt(
        address member,
        bytes32 role,
        bytes32 dataClass,
        uint48 blockNumber,
        uint48 timestamp
    ) external view returns (bool) {
        BlockHistory.requireMined(blockNumber);
        return
            _status(member, role, blockNumber, timestamp) == Status.Active &&
            _coversClass(member, role, dataClass, blockNumber);
    }

    /// @inheritdoc ICertifications
    function controlGroupOf(address member) public view returns (bytes32) {
        return bytes32(_controlGroups[member].latest());
    }

    /// @inheritdoc ICertifications
    function controlGroupAt(address member, uint48 blockNumber) public view returns (bytes32) {
        BlockHistory.requireMined(blockNumber);
        return bytes32(_controlGroups[member].upperLookupRecent(blockNumber));
    }

    /// @inheritdoc ICertifications
    function isSuspended(address member) public view returns (bool) {
        return _suspensions[member].latest() == 1;
    }

    /// @inheritdoc ICertifications
    function certificationOf(address member, bytes32 role) external view returns (Certification memory found) {
        found = _records[_states[member][role].latest() >> 1];
        if (found.frameworkId != 0) found.controlGroup = controlGroupOf(member);
    }

    /// @inheritdoc ICertifications
    function certificationAt(
        address member,
        bytes32 role,
        uint48 blockNumber
    ) external view returns (Certification memory found) {
        found = _records[_states[member][role].upperLookupRecent(blockNumber) >> 1];
        bytes32 group = controlGroupAt(member, blockNumber);
        if (found.frameworkId != 0) found.controlGroup = group;
    }

    /// @inheritdoc ICertifications
    function memberCount() external view returns (uint256) {
        return _certified.length();
    }

    /// @inheritdoc ICertifications
    function memberAt(uint256 index) external view returns (address) {
        return _certified.pos(index);
    }

    /// @inheritdoc ICertifications
    function rolesOf(address member) public view returns (bytes32[] memory) {
        return _roles[member].values();
    }

    /// @dev Writes a checked certification and makes it the one in force.
    function _record(address member, bytes32 role, Certification calldata certification) private {
        _requireValid(member, role, certification);
        bytes32 group = controlGroupOf(member);
        if (group == 0) _setControlGroup(member, certification.controlGroup);
        else if (group != certification.controlGroup) {
            revert ControlGroupMismatch(member, group, certification.controlGroup);
        }
        _certified.add(member);
        _roles[member].add(role);
        _states[member][role].push(BlockHistory.current(), uint208(_records.length << 1));
        _records.push(certification);
    }

    /// @dev Checks all that does not depend on the member's past.
    function _requireValid(address member, bytes32 role, Certification calldata c) private view {
        _requireGrade(c.frameworkId, c.maxGrade);
        if (c.controlGroup == 0) revert ControlGroupMismatch(member, controlGroupOf(member), 0);
        if (c.validFrom >= c.validUntil || c.validUntil <= block.timestamp) {
            revert InvalidValidity(c.validFrom, c.validUntil);
        }
        if (c.identityPolicyHash == 0 || c.securityPolicyHash == 0 || c.privacyPolicyHash == 0) {
            revert MissingPolicy(member, role);
        }
        uint256 count = c.dataClasses.length;
        if ((role == TrustRoles.VETTER) != (count != 0) || count > MAX_DATA_CLASSES) {
            revert InvalidDataClasses(role, count);
        }
        for (uint256 i = 0; i < count; ++i) if (c.dataClasses[i] == 0) revert InvalidDataClasses(role, count);
    }

    /// @dev Appends to the history of the member's control group.
    function _setControlGroup(address member, bytes32 newGroup) private {
        emit ControlGroupChanged(member, controlGroupOf(member), newGroup);
        _controlGroups[member].push(BlockHistory.current(), uint256(newGroup));
    }

    /// @dev Held: certified and not revoked, whatever the time and the suspension say.
    function _isHeld(address member, bytes32 role) private view returns (bool) {
        uint256 state = _states[member][role].latest();
        return state != 0 && state & 1 == 0;
    }

    /// @dev The rule behind every status, past and present. `blockNumber` may be NOW.
    function _status(
        address member,
        bytes32 role,
        uint48 blockNumber,
        uint48 timestamp
    ) private view returns (Status) {
        uint256 state = _states[member][role].upperLookupRecent(blockNumber);
        if (state == 0) return Status.None;
        if (state & 1 == 1) return Status.Revoked;
        if (_suspensions[member].upperLookupRecent(blockNumber) == 1) return Status.Suspended;
        Certification storage certification = _records[state >> 1];
        if (timestamp < certification.validFrom) return Status.NotYetValid;
        if (timestamp >= certification.validUntil) return Status.Expired;
        return Status.Active;
    }

    /// @dev Whether the certification in force at `blockNumber` names the class.
    function _coversClass(
        address member,
        bytes32 role,
        bytes32 dataClass,
        uint48 blockNumber
    ) private view returns (bool) {
        uint256 state = _states[member][role].upperLookupRecent(blockNumber);
        bytes32[] storage classes = _records[state >> 1].dataClasses;
        for (uint256 i = 0; i < classes.length; ++i) if (classes[i] == dataClass) return true;
        return false;
    }

    /// @dev Time now, in the width of the validity fields.
    function _time() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
