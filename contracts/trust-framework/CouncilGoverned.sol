// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICouncilGoverned} from "./ICouncilGoverned.sol";

/// @title CouncilGoverned
/// @notice See {ICouncilGoverned}.
abstract contract CouncilGoverned is ICouncilGoverned {
    /// @inheritdoc ICouncilGoverned
    address public immutable council;

    /// @dev For decisions of the council.
    modifier onlyCouncil() {
        if (msg.sender != council) revert OnlyCouncil(msg.sender);
        _;
    }

    /// @dev The council must exist first. Code is checked here only; it says "not a plain key", no more.
    constructor(address council_) {
        if (council_.code.length == 0) revert CouncilWithoutCode(council_);
        council = council_;
    }
}
