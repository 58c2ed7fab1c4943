// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CouncilGoverned} from "./CouncilGoverned.sol";
import {Incidents} from "./Incidents.sol";
import {ITrustFramework} from "./ITrustFramework.sol";

/// @title TrustFramework
/// @notice Frameworks and recognition ({Frameworks}), members ({Certifications}), incidents ({Incidents}): one contract,
/// in three files that can each be read alone. See {ITrustFramework}.
contract TrustFramework is Incidents, ITrustFramework {
    /// @param council_ The TrustCouncil that decides.
    constructor(address council_) CouncilGoverned(council_) {}
}
