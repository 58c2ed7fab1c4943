// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ITrustCouncil} from "../../../contracts/trust-framework/ITrustCouncil.sol";

/// @notice A target that, while executed, executes the proposal that is executing it once more.
contract Reentrant {
    ITrustCouncil private immutable _council;
    bytes32 private _id;
    uint256 public entered;

    constructor(ITrustCouncil council) {
        _council = council;
    }

    function arm(bytes32 id) external {
        _id = id;
    }

    function reenter() external {
        if (++entered == 1) _council.execute(_id);
    }
}
