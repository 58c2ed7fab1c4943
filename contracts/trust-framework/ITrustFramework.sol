// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertifications} from "./ICertifications.sol";
import {ICouncilGoverned} from "./ICouncilGoverned.sol";
import {IFrameworks} from "./IFrameworks.sol";
import {IIncidents} from "./IIncidents.sol";

/// @title ITrustFramework
/// @notice The legal trust framework as all parties see it: rules, certified members, incidents, and the council that
/// decides on them.
interface ITrustFramework is ICouncilGoverned, IFrameworks, ICertifications, IIncidents {}
