// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {AlgorithmRegistry} from "../../../contracts/data-sharing/AlgorithmRegistry.sol";
import {ICertifications} from "../../../contracts/trust-framework/ICertifications.sol";
import {IFrameworks} from "../../../contracts/trust-framework/IFrameworks.sol";
import {ITrustFramework} from "../../../contracts/trust-framework/ITrustFramework.sol";
import {TrustCouncil} from "../../../contracts/trust-framework/TrustCouncil.sol";
import {TrustFramework} from "../../../contracts/trust-framework/TrustFramework.sol";
import {vm} from "./Vm.sol";

/// @title LoneMember
/// @notice One dishonest council member, with as many keys outside the council as it likes, calls whatever it likes and
/// as patiently as it likes. All others have gone home, leaving proposals in every state.
/// @dev Everything that only a decision may change is called in three ways: directly, as the action of a proposal, and
/// past {TrustCouncil.propose} through the functions inherited from the timelock.
contract LoneMember {
    TrustCouncil public immutable council;
    TrustFramework public immutable framework;
    AlgorithmRegistry public immutable registry;

    address public constant CERTIFIED = address(0xCE47);
    address private constant OUTSIDER = address(0xBAD);
    bytes32 private constant ALGORITHM = "algorithm";
    bytes32 private constant FRAMEWORK_ID = "framework";

    address private _member;
    address[] private _targets;
    uint256[] private _values;
    bytes[] private _payloads;
    bytes32[] private _known;
    uint256 private _time = 1_900_000_000;

    /// @notice Everything set up by decisions of three members out of five; the first of them turns dishonest.
    constructor(TrustCouncil council_, TrustFramework framework_, AlgorithmRegistry registry_) {
        (council, framework, registry) = (council_, framework_, registry_);
        vm.warp(_time);
        address[] memory members = council_.members();
        _member = members[0];
        bytes32[] memory levels = new bytes32[](1);
        levels[0] = "only";
        IFrameworks.Framework memory rules = IFrameworks.Framework("rules", "", "EU", levels);
        _add(address(framework), abi.encodeCall(IFrameworks.registerFramework, (FRAMEWORK_ID, rules)));
        _add(address(framework), abi.encodeCall(IFrameworks.registerFramework, ("other", rules)));
        _add(address(framework), abi.encodeCall(IFrameworks.recognise, ("other", FRAMEWORK_ID, 1)));
        _add(address(framework), abi.encodeCall(ICertifications.certify, (CERTIFIED, "querier", _terms())));
        bytes32 executed = _proposeAs(members[1], "executed");
        _approveAs(members[2], executed);
        _approveAs(members[3], executed);
        _wait(1 hours);
        council.execute(executed);
        vm.prank(CERTIFIED);
        registry.publish(ALGORITHM, "", "sql", "wages");

        _clear();
        _add(address(framework), abi.encodeCall(ICertifications.suspend, (CERTIFIED, "open")));
        _proposeAs(members[1], "one vote of three");
        _proposeAs(_member, "the lone member's own");
        _clear();
    }

    /// @notice Lets time pass: delays, lifetimes of votes, expiries.
    function wait_(uint32 seconds_) external {
        _wait(seconds_ % 10 days);
    }

    /// @notice Calls a privileged function directly.
    function direct(uint8 action, address account, uint8 number, bool asMember) external {
        (address target, bytes memory payload) = _action(action, account, number);
        _callAs(asMember, target, payload);
    }

    /// @notice Makes it a proposal, and does with it what it can.
    function propose(uint8 action, address account, uint8 number, bytes32 salt, bool asMember) external {
        (address target, bytes memory payload) = _action(action, account, number);
        _clear();
        _add(target, payload);
        bytes32 id = council.hashProposal(_targets, _values, _payloads, salt, "");
        _known.push(id);
        _callAs(
            asMember,
            address(council),
            abi.encodeCall(council.propose, (_targets, _values, _payloads, salt, ""))
        );
    }

    /// @notice Approves, withdraws, executes: any proposal, over and over.
    function push(uint8 which, uint8 how, bool asMember) external {
        bytes32 id = _known[which % _known.length];
        bytes4 selector = how % 4 == 0
            ? council.approve.selector
            : how % 4 == 1
                ? council.withdrawApproval.selector
                : how % 4 == 2
                    ? bytes4(keccak256("execute(bytes32)"))
                    : council.cancel.selector;
        _callAs(asMember, address(council), abi.encodeWithSelector(selector, id));
    }

    /// @notice Waits out the whole delay and executes.
    function waitAndExecute(uint8 which, bool asMember) external {
        _wait(1 hours);
        bytes32 id = _known[which % _known.length];
        _callAs(asMember, address(council), abi.encodeWithSignature("execute(bytes32)", id));
    }

    /// @notice Goes to the timelock itself: schedule, execute, roles.
    function timelock(uint8 how, uint8 action, address account, uint8 number, bool asMember) external {
        (address target, bytes memory payload) = _action(action, account, number);
        address self = asMember ? _member : OUTSIDER;
        bytes32 role = how % 2 == 0 ? council.PROPOSER_ROLE() : council.DEFAULT_ADMIN_ROLE();
        TimelockController t = council;
        if (how % 5 == 0) payload = abi.encodeCall(t.schedule, (target, 0, payload, 0, "salt", 1 hours));
        else if (how % 5 == 1) payload = abi.encodeCall(t.execute, (target, 0, payload, 0, "salt"));
        else if (how % 5 == 2) payload = abi.encodeCall(t.grantRole, (role, self));
        else if (how % 5 == 3) payload = abi.encodeCall(t.revokeRole, (role, address(council)));
        else {
            _clear();
            _add(target, payload);
            payload = abi.encodeCall(t.executeBatch, (_targets, _values, _payloads, 0, "salt"));
        }
        _callAs(asMember, address(council), payload);
    }

    /// @notice Votes for emergency suspension, or takes the vote back, against the real framework or a false one.
    function vote(uint8 how, bytes32 reason, bool asMember) external {
        ITrustFramework where = ITrustFramework(how % 4 == 0 ? address(this) : address(framework));
        bytes memory payload = how % 3 == 0
            ? abi.encodeCall(council.withdrawSuspensionVote, (where, CERTIFIED))
            : abi.encodeWithSelector(council.suspend.selector, where, CERTIFIED, reason);
        _callAs(asMember, address(council), payload);
    }

    /// @notice Any bytes to any of the contracts.
    function garble(uint8 which, bytes calldata payload, bool asMember) external {
        address target = which % 3 == 0 ? address(council) : which % 3 == 1 ? address(framework) : address(registry);
        _callAs(asMember, target, payload);
    }

    /// @notice As a false framework, obeys the council and re-enters it when told to suspend.
    function suspend(address member, bytes32 reason) external {
        if (msg.sender == address(council)) council.suspend(framework, member, reason);
    }

    /// @notice All that only a decision may change, as one hash.
    function fingerprint() external view returns (bytes32) {
        bool[4] memory machinery = [
            council.hasRole(council.PROPOSER_ROLE(), address(council)),
            council.hasRole(council.PROPOSER_ROLE(), _member) || council.hasRole(council.PROPOSER_ROLE(), OUTSIDER),
            council.hasRole(council.DEFAULT_ADMIN_ROLE(), address(council)),
            council.hasRole(council.DEFAULT_ADMIN_ROLE(), _member) ||
                council.hasRole(council.DEFAULT_ADMIN_ROLE(), OUTSIDER)
        ];
        bytes memory seats = abi.encode(
            council.members(),
            council.threshold(),
            council.emergencyQuorum(),
            council.getMinDelay(),
            machinery
        );
        return keccak256(bytes.concat(seats, _frameworkState(), abi.encode(registry.statusOf(ALGORITHM))));
    }

    function _frameworkState() private view returns (bytes memory) {
        return
            abi.encode(
                framework.frameworkCount(),
                framework.frameworkOf(FRAMEWORK_ID),
                framework.gradeCapOf("other", FRAMEWORK_ID),
                framework.gradeCapOf(FRAMEWORK_ID, "other"),
                framework.memberCount(),
                framework.rolesOf(CERTIFIED),
                framework.certificationOf(CERTIFIED, "querier"),
                framework.statusOf(CERTIFIED, "querier"),
                framework.isSuspended(CERTIFIED),
                framework.incidentCount()
            );
    }

    /// @dev Every function that the council alone may call.
    function _action(uint8 n, address account, uint8 number) private view returns (address target, bytes memory) {
        n = uint8(n % 18);
        if (n < 6) return (address(council), _councilAction(n, account, number));
        if (n == 6) return (address(registry), abi.encodeCall(registry.revoke, (ALGORITHM, "reason")));
        return (address(framework), _frameworkAction(n, account, number));
    }

    function _councilAction(uint8 n, address account, uint8 number) private view returns (bytes memory) {
        if (n == 0) return abi.encodeCall(council.addMember, (account));
        if (n == 1) return abi.encodeCall(council.removeMember, (council.members()[number % 5]));
        if (n == 2) return abi.encodeCall(council.replaceMember, (council.members()[number % 5], account));
        if (n == 3) return abi.encodeCall(council.setThreshold, (2 + (number % 4)));
        if (n == 4) return abi.encodeCall(council.setEmergencyQuorum, (2 + (number % 2)));
        return abi.encodeCall(council.updateDelay, (1 + uint256(number)));
    }

    function _frameworkAction(uint8 n, address account, uint8 number) private view returns (bytes memory) {
        bytes32 id = bytes32(uint256(number) + 1);
        bytes32[] memory levels = new bytes32[](1);
        if (n == 7) {
            return abi.encodeCall(framework.registerFramework, (id, IFrameworks.Framework("r", "", "EU", levels)));
        }
        if (n == 8) return abi.encodeCall(framework.changeRules, (FRAMEWORK_ID, id, ""));
        if (n == 9) return abi.encodeCall(framework.recognise, (FRAMEWORK_ID, "other", 1));
        if (n == 10) return abi.encodeCall(framework.withdrawRecognition, ("other", FRAMEWORK_ID));
        if (n == 11) return abi.encodeCall(framework.certify, (account, "auditor", _terms()));
        if (n == 12) return abi.encodeCall(framework.renew, (CERTIFIED, "querier", _terms()));
        if (n == 13) return abi.encodeCall(framework.revokeCertification, (CERTIFIED, "querier", id));
        if (n == 14) return abi.encodeCall(framework.suspend, (CERTIFIED, id));
        if (n == 15) return abi.encodeCall(framework.reinstate, (CERTIFIED, id));
        if (n == 16) return abi.encodeCall(framework.changeControlGroup, (CERTIFIED, id));
        return abi.encodeCall(framework.reportIncident, (CERTIFIED, id, ""));
    }

    function _terms() private view returns (ICertifications.Certification memory) {
        return
            ICertifications.Certification(
                FRAMEWORK_ID,
                "EU",
                "group",
                1,
                0,
                uint48(_time) + 10_000 days,
                "identity",
                "security",
                "privacy",
                new bytes32[](0)
            );
    }

    function _callAs(bool asMember, address target, bytes memory payload) private {
        vm.warp(_time);
        vm.prank(asMember ? _member : OUTSIDER);
        (bool done, ) = target.call(payload);
        done; // refused or not, the fingerprint tells
    }

    function _proposeAs(address member, bytes32 salt) private returns (bytes32 id) {
        vm.prank(member);
        id = council.propose(_targets, _values, _payloads, salt, "");
        _known.push(id);
    }

    function _approveAs(address member, bytes32 id) private {
        vm.prank(member);
        council.approve(id);
    }

    function _wait(uint256 seconds_) private {
        _time += seconds_;
        vm.warp(_time);
    }

    function _add(address target, bytes memory payload) private {
        _targets.push(target);
        _values.push(0);
        _payloads.push(payload);
    }

    function _clear() private {
        delete _targets;
        delete _values;
        delete _payloads;
    }
}
