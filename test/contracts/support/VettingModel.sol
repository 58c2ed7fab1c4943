// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title VettingModel
/// @notice The rules of certification and vetting once more, as plainly as possible and without history: what the
/// contracts must answer now. Written from the interfaces, not from the contracts.
abstract contract VettingModel {
    enum Member {
        None,
        NotYetValid,
        Active,
        Suspended,
        Expired,
        Revoked
    }
    enum Status {
        None,
        Published,
        Approved,
        Revoked
    }

    struct Vetter {
        bool everCertified;
        bool revoked;
        bool suspended;
        uint256 validFrom;
        uint256 validUntil;
        uint256 classes; // bit c: class c
        uint256 group;
    }
    struct Algorithm {
        bool published;
        bool revoked;
        uint256 class;
        uint256 groupAtPublication;
    }
    struct Approval {
        uint256 expires;
        bool withdrawn;
    }

    uint256 internal constant VETTERS = 5;
    uint256 internal constant ALGORITHMS = 2;
    uint256 internal constant REQUIRED = 3;

    Vetter[VETTERS] internal vetters;
    Algorithm[ALGORITHMS] internal algorithms;
    Approval[VETTERS][ALGORITHMS] internal approvals;
    uint256 internal authorGroup = 1;

    function modelMember(uint256 v) public view returns (Member) {
        Vetter storage m = vetters[v];
        if (!m.everCertified) return Member.None;
        if (m.revoked) return Member.Revoked;
        if (m.suspended) return Member.Suspended;
        if (block.timestamp < m.validFrom) return Member.NotYetValid;
        return block.timestamp < m.validUntil ? Member.Active : Member.Expired;
    }

    function modelStatus(uint256 a) public view returns (Status) {
        Algorithm storage algorithm = algorithms[a];
        if (!algorithm.published) return Status.None;
        if (algorithm.revoked) return Status.Revoked;
        uint256 count = 0;
        uint256 groups = 0; // bit g: group g
        for (uint256 v = 0; v < VETTERS; ++v) {
            if (approvals[a][v].withdrawn || approvals[a][v].expires <= block.timestamp) continue;
            if (!_mayVet(v, a)) continue;
            ++count;
            groups |= 1 << vetters[v].group;
        }
        bool severalGroups = groups != 0 && groups & (groups - 1) != 0;
        return count >= REQUIRED && severalGroups ? Status.Approved : Status.Published;
    }

    function _mayVet(uint256 v, uint256 a) internal view returns (bool) {
        if (modelMember(v) != Member.Active) return false;
        if (vetters[v].classes & (1 << algorithms[a].class) == 0) return false;
        return vetters[v].group != authorGroup && vetters[v].group != algorithms[a].groupAtPublication;
    }
}
