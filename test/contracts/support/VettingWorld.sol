// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AlgorithmRegistry} from "../../../contracts/data-sharing/AlgorithmRegistry.sol";
import {ICertifications} from "../../../contracts/trust-framework/ICertifications.sol";
import {IFrameworks} from "../../../contracts/trust-framework/IFrameworks.sol";
import {TrustFramework} from "../../../contracts/trust-framework/TrustFramework.sol";
import {VettingModel} from "./VettingModel.sol";
import {vm} from "./Vm.sol";

/// @title VettingWorld
/// @notice A council (this contract), an author and five vetters of four control groups, doing everything they can, in
/// any order, several times a block. After each step the model's answers are written down for that block.
contract VettingWorld is VettingModel {
    struct Moment {
        uint48 blockNumber;
        uint48 timestamp;
        Status[ALGORITHMS] statuses;
        Member[VETTERS] members;
        uint256[VETTERS] classes;
        uint256[VETTERS] groups;
    }

    bytes32 private constant FRAMEWORK_ID = "framework";
    address public constant AUTHOR = address(0xA0707);
    TrustFramework public framework;
    AlgorithmRegistry public registry;
    /// @notice Calls whose outcome was not the model's; must stay zero.
    uint256 public surprises;

    Moment[] private _moments;
    uint256 private _nonce;
    uint48 private _block = 100;
    uint48 private _time = 1_900_000_000;

    /// @notice Sets the world up, once: a council must have code, so this is no constructor.
    function open() external {
        assert(address(framework) == address(0));
        vm.roll(_block);
        vm.warp(_time);
        framework = new TrustFramework(address(this));
        registry = new AlgorithmRegistry(framework, address(this), REQUIRED);
        bytes32[] memory levels = new bytes32[](1);
        levels[0] = "only";
        framework.registerFramework(FRAMEWORK_ID, IFrameworks.Framework("rules", "", "EU", levels));
        framework.certify(AUTHOR, "querier", _terms(1, 0, type(uint48).max, 0));
        for (uint256 v = 0; v < VETTERS; ++v) {
            _certify(v, v < 2 ? 2 : 3, 0, uint48(_time + 40 days), 3, false);
        }
        vm.prank(AUTHOR);
        registry.publish(hashOf(0), "", "sql", classAt(0));
        algorithms[0] = Algorithm(true, false, 0, authorGroup);
        for (uint256 v = 0; v < REQUIRED; ++v) _approve(0, v, _time + 20 days, v, false);
    }

    /// @dev Time and block as this world knows them, whatever the runner resets between calls.
    modifier step(uint16 seconds_, uint8 blocks) {
        if (blocks % 3 != 0) {
            _block += blocks % 3;
            _time += uint48(blocks % 3) * (seconds_ % 4 == 0 ? uint48(seconds_) * 16 : 12);
        }
        settle();
        _;
        _writeDown();
    }

    /// @notice Puts the chain at this world's block and time.
    function settle() public {
        vm.roll(_block);
        vm.warp(_time);
    }

    /// @dev Mostly what would be right for this vetter, so that certifications come back as often as they go.
    function certify(uint8 v, uint8 how, uint8 from, uint8 until, uint8 classes, uint8 blocks) external step(0, blocks) {
        v = uint8(v % VETTERS);
        bool held = vetters[v].everCertified && !vetters[v].revoked;
        bool renew = how % 8 == 0 ? !held : held;
        uint256 group = how % 8 == 1 ? how / 64 : vetters[v].group;
        uint48 validFrom = from % 8 == 0 ? _time + uint48(from) * 1 hours : 0;
        uint256 which = classes < 128 ? 3 : classes % 4;
        _certify(v, group, validFrom, _time + 1 + uint48(until) * 6 hours, which, renew);
    }

    function revokeCertification(uint8 v, uint8 luck, uint8 blocks) external step(0, blocks) {
        if (luck % 4 != 0) return;
        v = uint8(v % VETTERS);
        bool held = vetters[v].everCertified && !vetters[v].revoked;
        try framework.revokeCertification(vetterAt(v), "vetter", "reason") {
            _expect(held);
            vetters[v].revoked = true;
        } catch {
            _expect(!held);
        }
    }

    function suspendOrReinstate(uint8 v, uint8 how, uint8 blocks) external step(0, blocks) {
        v = uint8(v % VETTERS);
        bool suspend = how % 4 == 0;
        bool allowed = vetters[v].everCertified && vetters[v].suspended != suspend;
        bytes4 selector = suspend ? ICertifications.suspend.selector : ICertifications.reinstate.selector;
        (bool done, ) = address(framework).call(abi.encodeWithSelector(selector, vetterAt(v), bytes32("reason")));
        _expect(done == allowed);
        if (done) vetters[v].suspended = suspend;
    }

    function changeControlGroup(uint8 v, uint8 group, uint8 blocks) external step(0, blocks) {
        v = uint8(v % 8);
        group = group % 4;
        bool isAuthor = v >= VETTERS;
        uint256 current = isAuthor ? authorGroup : vetters[v].group;
        address member = isAuthor ? AUTHOR : vetterAt(v);
        bool allowed = group != 0 && group != current;
        try framework.changeControlGroup(member, bytes32(uint256(group))) {
            _expect(allowed);
            if (isAuthor) authorGroup = group;
            else vetters[v].group = group;
        } catch {
            _expect(!allowed);
        }
    }

    /// @notice Author and vetter change places: what was the author's group stays tainted, what is becomes so.
    function swapGroups(uint8 v, uint8 blocks) external step(0, blocks) {
        v = uint8(v % VETTERS);
        (uint256 old, uint256 next) = (authorGroup, vetters[v].group);
        if (old == next) return;
        framework.changeControlGroup(AUTHOR, bytes32(next));
        framework.changeControlGroup(vetterAt(v), bytes32(old));
        (authorGroup, vetters[v].group) = (next, old);
    }

    function publish(uint8 a, uint8 class, uint8 blocks) external step(0, blocks) {
        a = uint8(a % ALGORITHMS);
        vm.prank(AUTHOR);
        try registry.publish(hashOf(a), "", "sql", classAt(class % 2)) {
            _expect(!algorithms[a].published);
            algorithms[a] = Algorithm(true, false, class % 2, authorGroup);
        } catch {
            _expect(algorithms[a].published);
        }
    }

    /// @dev `forger` 0 to 4 of 16 signs with another vetter's key (which may be the right one).
    function approve(uint8 a, uint8 v, uint16 hour, uint8 forger, bool bySelf, uint8 blocks) external step(0, blocks) {
        _approve(a % ALGORITHMS, v % VETTERS, _time - 1 hours + uint48(hour % 1024) * 1 hours, forger % 16, bySelf);
    }

    /// @notice Several vetters sign in one go, so that algorithms are often close to running.
    function approveTogether(uint8 a, uint8 who, uint8 day, uint8 blocks) external step(0, blocks) {
        for (uint256 v = 0; v < VETTERS; ++v) {
            if (who & (1 << v) != 0) _approve(a % ALGORITHMS, v, _time + 1 + uint48(day % 32) * 1 days, v, who < 128);
        }
    }

    function withdraw(uint8 a, uint8 v, uint8 blocks) external step(0, blocks) {
        a = uint8(a % ALGORITHMS);
        v = uint8(v % VETTERS);
        bool allowed = algorithms[a].published && !approvals[a][v].withdrawn;
        vm.prank(vetterAt(v));
        try registry.withdrawApproval(hashOf(a)) {
            _expect(allowed);
            approvals[a][v].withdrawn = true;
        } catch {
            _expect(!allowed);
        }
    }

    /// @dev Seldom, as it is for good.
    function revoke(uint8 a, uint8 by, uint8 blocks) external step(0, blocks) {
        a = uint8(a % ALGORITHMS);
        bool allowed = algorithms[a].published && !algorithms[a].revoked && by < 8;
        vm.prank(by < 4 ? AUTHOR : by < 8 ? address(this) : vetterAt(by % VETTERS));
        try registry.revoke(hashOf(a), "reason") {
            _expect(allowed);
            algorithms[a].revoked = true;
        } catch {
            _expect(!allowed);
        }
    }

    /// @notice Goes to the very second at which an approval or a certification ends.
    function waitForEnd(uint8 a, uint8 v, bool ofApproval) external step(0, 1) {
        v = uint8(v % VETTERS);
        uint256 end = ofApproval ? approvals[a % ALGORITHMS][v].expires : vetters[v].validUntil;
        if (end > _time && end < _time + 90 days) _time = uint48(end);
        settle();
    }

    function wait_(uint16 seconds_, uint8 blocks) external step(seconds_, blocks) {}

    function momentCount() external view returns (uint256) {
        return _moments.length;
    }

    function momentAt(uint256 index) external view returns (Moment memory) {
        return _moments[index];
    }

    function vetterAt(uint256 v) public pure returns (address) {
        return vm.addr(v + 1);
    }

    function hashOf(uint256 a) public pure returns (bytes32) {
        return bytes32(a + 1);
    }

    function classAt(uint256 c) public pure returns (bytes32) {
        return bytes32(c + 1);
    }

    function _certify(uint256 v, uint256 group, uint48 from, uint48 until, uint256 classes, bool renew) private {
        Vetter storage m = vetters[v];
        bool held = m.everCertified && !m.revoked;
        bool groupFits = group != 0 && (m.group == 0 || m.group == group);
        bool allowed = held == renew && groupFits && from < until && classes != 0;
        bytes4 selector = renew ? ICertifications.renew.selector : ICertifications.certify.selector;
        (bool done, ) = address(framework).call(
            abi.encodeWithSelector(selector, vetterAt(v), bytes32("vetter"), _terms(group, from, until, classes))
        );
        _expect(done == allowed);
        if (done) vetters[v] = Vetter(true, false, m.suspended, from, until, classes, group);
    }

    function _approve(uint256 a, uint256 v, uint48 expires, uint256 forger, bool bySelf) private {
        bytes32 review = bytes32(++_nonce);
        uint256 signer = forger < VETTERS ? forger : v;
        bool allowed = algorithms[a].published && !algorithms[a].revoked && _mayVet(v, a) && signer == v;
        allowed = allowed && expires > _time && (bySelf || !approvals[a][v].withdrawn);
        bytes32 digest = registry.approvalDigest(hashOf(a), vetterAt(v), expires, review);
        (uint8 sv, bytes32 sr, bytes32 ss) = vm.sign(signer + 1, digest);
        bytes memory signature = abi.encodePacked(sr, ss, sv);
        if (bySelf) vm.prank(vetterAt(v));
        try registry.approve(hashOf(a), vetterAt(v), expires, review, signature) {
            _expect(allowed);
            approvals[a][v] = Approval(expires, false);
        } catch {
            _expect(!allowed);
        }
    }

    function _terms(
        uint256 group,
        uint48 from,
        uint48 until,
        uint256 classes
    ) private pure returns (ICertifications.Certification memory terms) {
        bytes32[] memory list = new bytes32[](classes == 0 ? 0 : classes == 3 ? 2 : 1);
        if (list.length != 0) list[0] = classAt(classes == 2 ? 1 : 0);
        if (list.length == 2) list[1] = classAt(1);
        terms = ICertifications.Certification(
            FRAMEWORK_ID,
            "EU",
            bytes32(group),
            1,
            from,
            until,
            "identity",
            "security",
            "privacy",
            list
        );
    }

    function _expect(bool right) private {
        if (!right) ++surprises;
    }

    /// @dev Of several steps in one block the last one counts.
    function _writeDown() private {
        uint256 length = _moments.length;
        if (length == 0 || _moments[length - 1].blockNumber != _block) {
            _moments.push();
            ++length;
        }
        Moment storage moment = _moments[length - 1];
        moment.blockNumber = _block;
        moment.timestamp = _time;
        for (uint256 a = 0; a < ALGORITHMS; ++a) moment.statuses[a] = modelStatus(a);
        for (uint256 v = 0; v < VETTERS; ++v) {
            moment.members[v] = modelMember(v);
            moment.classes[v] = vetters[v].classes;
            moment.groups[v] = vetters[v].group;
        }
    }
}
