// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title ICertifications
/// @notice Who is certified for which role, under which framework, until when, now and at any past block.
/// @dev "At block N" is the state at the end of block N (see BlockHistory): of several changes inside one block the last
/// one counts. `timestamp` is that block's, in seconds; the contract cannot look it up, so the caller takes it from the
/// block's header. Answers about a mined block never change.
/// WARNING: a certification says that the council decided so, not that the member behaves.
interface ICertifications {
    /// @notice Revoked outranks Suspended, which outranks the validity in time.
    enum Status {
        None,
        NotYetValid,
        Active,
        Suspended,
        Expired,
        Revoked
    }

    /// @notice Valid from `validFrom` until the second before `validUntil`. `controlGroup` names who controls the member,
    /// with one name across all frameworks. `maxGrade` 0 means that the role issues no grades.
    struct Certification {
        bytes32 frameworkId;
        bytes32 jurisdiction;
        bytes32 controlGroup;
        uint8 maxGrade;
        uint48 validFrom;
        uint48 validUntil;
        bytes32 identityPolicyHash;
        bytes32 securityPolicyHash;
        bytes32 privacyPolicyHash;
        bytes32[] dataClasses;
    }

    /// @notice A member was certified for a role it did not hold (or held and lost).
    event MemberCertified(address indexed member, bytes32 indexed role, Certification certification);
    /// @notice A certification was replaced by a newer one.
    event CertificationRenewed(address indexed member, bytes32 indexed role, Certification certification);
    /// @notice A certification ended for good; only certifying anew brings the role back.
    event CertificationRevoked(address indexed member, bytes32 indexed role, bytes32 reason);
    /// @notice All roles of the member are suspended.
    event MemberSuspended(address indexed member, bytes32 reason);
    /// @notice The suspension was lifted.
    event MemberReinstated(address indexed member, bytes32 reason);
    /// @notice The member belongs to a (or another) control group from now on, in all roles.
    event ControlGroupChanged(address indexed member, bytes32 indexed oldGroup, bytes32 indexed newGroup);

    /// @notice The role is none of the ten.
    error UnknownRole(bytes32 role);
    /// @notice The zero address cannot be certified.
    error InvalidMember(address member);
    /// @notice The member was never certified.
    error UnknownMember(address member);
    /// @notice The role is held; use renew.
    error AlreadyCertified(address member, bytes32 role);
    /// @notice The role is not held, or was revoked.
    error NotCertified(address member, bytes32 role);
    /// @notice The period is empty or over.
    error InvalidValidity(uint48 validFrom, uint48 validUntil);
    /// @notice Each member has its three policies.
    error MissingPolicy(address member, bytes32 role);
    /// @notice Vetters have 1 to 16 classes of data, none zero; other roles have none.
    error InvalidDataClasses(bytes32 role, uint256 count);
    /// @notice A member has one control group, not zero; changing it is a decision of its own.
    error ControlGroupMismatch(address member, bytes32 current, bytes32 given);
    /// @notice The member is suspended already.
    error AlreadySuspended(address member);
    /// @notice The member is not suspended.
    error NotSuspended(address member);

    /// @notice Certifies `member` for `role`. Council only. Refused while the role is held and not revoked.
    function certify(address member, bytes32 role, Certification calldata certification) external;

    /// @notice Replaces a certification that is not revoked (it may be expired). Council only.
    function renew(address member, bytes32 role, Certification calldata certification) external;

    /// @notice Ends the certification for one role. Council only.
    function revokeCertification(address member, bytes32 role, bytes32 reason) external;

    /// @notice Suspends all roles of `member` at once, those certified later included. Council only (both its paths).
    function suspend(address member, bytes32 reason) external;

    /// @notice Lifts the suspension. Council only.
    function reinstate(address member, bytes32 reason) external;

    /// @notice Moves a member to another control group, in all roles. Council only.
    function changeControlGroup(address member, bytes32 newGroup) external;

    /// @notice Status now.
    function statusOf(address member, bytes32 role) external view returns (Status);

    /// @notice Status at the end of mined block `blockNumber`, whose time was `timestamp`.
    function statusAt(
        address member,
        bytes32 role,
        uint48 blockNumber,
        uint48 timestamp
    ) external view returns (Status);

    /// @notice Whether the status is Active now.
    function isCertified(address member, bytes32 role) external view returns (bool);

    /// @notice Whether the status is Active now in at least one role.
    function isCertifiedInAnyRole(address member) external view returns (bool);

    /// @notice Whether the status is Active now, for this class of data.
    function isCertifiedForClass(address member, bytes32 role, bytes32 dataClass) external view returns (bool);

    /// @notice Whether the status was Active at a mined block, for this class of data.
    function isCertifiedForClassAt(
        address member,
        bytes32 role,
        bytes32 dataClass,
        uint48 blockNumber,
        uint48 timestamp
    ) external view returns (bool);

    /// @notice Control group now, zero for an account that was never certified.
    function controlGroupOf(address member) external view returns (bytes32);

    /// @notice Control group at the end of a mined block.
    function controlGroupAt(address member, uint48 blockNumber) external view returns (bytes32);

    /// @notice Whether all roles of the member are suspended now.
    function isSuspended(address member) external view returns (bool);

    /// @notice The newest certification, with the present control group. Ask {statusOf} whether it is in force.
    function certificationOf(address member, bytes32 role) external view returns (Certification memory);

    /// @notice The certification at the end of a mined block, with the control group of then.
    function certificationAt(
        address member,
        bytes32 role,
        uint48 blockNumber
    ) external view returns (Certification memory);

    /// @notice Number of accounts ever certified.
    function memberCount() external view returns (uint256);

    /// @notice Account at `index`, in order of first certification.
    function memberAt(uint256 index) external view returns (address);

    /// @notice Roles that `member` was ever certified for.
    function rolesOf(address member) external view returns (bytes32[] memory);
}
