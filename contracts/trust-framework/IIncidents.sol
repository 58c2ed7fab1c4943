// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IIncidents
/// @notice Incidents and the recourse given: what happened, by whom it was reported, how it was settled.
/// @dev A record changes no status by itself. WARNING: a report is a claim by its reporter, not a finding.
interface IIncidents {
    /// @notice Documents are named by hash and address. `resolvedBlock` is zero until resolved.
    struct Incident {
        address member;
        address reporter;
        uint48 reportedBlock;
        uint48 resolvedBlock;
        bytes32 reportHash;
        string reportUri;
        bytes32 recourseHash;
        string recourseUri;
    }

    /// @notice An incident that concerns `member` was reported.
    event IncidentReported(
        uint256 indexed incidentId,
        address indexed member,
        address indexed reporter,
        bytes32 reportHash,
        string reportUri
    );
    /// @notice The council settled the incident.
    event IncidentResolved(uint256 indexed incidentId, bytes32 recourseHash, string recourseUri);

    /// @notice Only the council and auditors certified at this moment may report.
    error NotReporter(address caller);
    /// @notice A document has a hash, and an address of at most 512 bytes.
    error InvalidDocument(bytes32 documentHash, uint256 uriLength);
    /// @notice There is no such incident.
    error UnknownIncident(uint256 incidentId);
    /// @notice The incident was settled before.
    error AlreadyResolved(uint256 incidentId);

    /// @notice Reports an incident that concerns a certified (or once certified) member. Council or auditors.
    function reportIncident(
        address member,
        bytes32 reportHash,
        string calldata reportUri
    ) external returns (uint256 incidentId);

    /// @notice Settles an incident and records the recourse. Council only, once.
    function resolveIncident(uint256 incidentId, bytes32 recourseHash, string calldata recourseUri) external;

    /// @notice Number of incidents; ids run from 0.
    function incidentCount() external view returns (uint256);

    /// @notice The incident of this id; reverts if there is none.
    function incidentOf(uint256 incidentId) external view returns (Incident memory);
}
