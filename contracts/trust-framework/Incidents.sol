// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BlockHistory} from "../ledger/BlockHistory.sol";
import {Certifications} from "./Certifications.sol";
import {IIncidents} from "./IIncidents.sol";
import {TrustRoles} from "./TrustRoles.sol";

/// @title Incidents
/// @notice See {IIncidents}.
abstract contract Incidents is Certifications, IIncidents {
    Incident[] private _incidents;

    /// @inheritdoc IIncidents
    function reportIncident(
        address member,
        bytes32 reportHash,
        string calldata reportUri
    ) external returns (uint256 incidentId) {
        if (msg.sender != council && !isCertified(msg.sender, TrustRoles.AUDITOR)) revert NotReporter(msg.sender);
        if (controlGroupOf(member) == 0) revert UnknownMember(member);
        _requireDocument(reportHash, reportUri);
        incidentId = _incidents.length;
        Incident storage incident = _incidents.push();
        incident.member = member;
        incident.reporter = msg.sender;
        incident.reportedBlock = BlockHistory.current();
        incident.reportHash = reportHash;
        incident.reportUri = reportUri;
        emit IncidentReported(incidentId, member, msg.sender, reportHash, reportUri);
    }

    /// @inheritdoc IIncidents
    function resolveIncident(
        uint256 incidentId,
        bytes32 recourseHash,
        string calldata recourseUri
    ) external onlyCouncil {
        _requireDocument(recourseHash, recourseUri);
        if (incidentId >= _incidents.length) revert UnknownIncident(incidentId);
        Incident storage incident = _incidents[incidentId];
        if (incident.resolvedBlock != 0) revert AlreadyResolved(incidentId);
        incident.resolvedBlock = BlockHistory.current();
        incident.recourseHash = recourseHash;
        incident.recourseUri = recourseUri;
        emit IncidentResolved(incidentId, recourseHash, recourseUri);
    }

    /// @inheritdoc IIncidents
    function incidentCount() external view returns (uint256) {
        return _incidents.length;
    }

    /// @inheritdoc IIncidents
    function incidentOf(uint256 incidentId) external view returns (Incident memory) {
        if (incidentId >= _incidents.length) revert UnknownIncident(incidentId);
        return _incidents[incidentId];
    }

    /// @dev Bounds what a reporter can store.
    function _requireDocument(bytes32 documentHash, string calldata uri) private pure {
        if (documentHash == 0 || bytes(uri).length > MAX_URI_BYTES) {
            revert InvalidDocument(documentHash, bytes(uri).length);
        }
    }
}
