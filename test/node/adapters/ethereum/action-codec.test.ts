import { expect } from "chai";
import fc from "fast-check";
import { decodeAction, encodeAction } from "../../../../node/adapters/ethereum/action-codec.ts";
import { decodeWord, encodeWord } from "../../../../node/adapters/ethereum/words.ts";
import type { Deployment } from "../../../../node/ledger/deployment.ts";
import { hash32Pattern, toHex } from "../../../../node/primitives/hex.ts";
import * as council from "../../../../node/trust-framework/council-action.ts";
import { memberRoles } from "../../../../node/trust-framework/roles.ts";

const at = (digit: string) => `0x${digit.repeat(40)}`;
const deployment: Deployment = {
  chainId: 1,
  contracts: {
    trustCouncil: at("1"),
    trustFramework: at("2"),
    algorithmRegistry: at("3"),
    repositoryDirectory: at("4"),
    auditAnchor: at("5"),
  },
};

const bytes = (count: number) =>
  fc.uint8Array({ minLength: count, maxLength: count }).map((value) => toHex(value));
const [hash, account] = [bytes(32), bytes(20)];
const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."abcXYZ09-_ ./"), minLength: 1, maxLength: 31 }),
  hash.filter((text) => decodeWord(text) === text),
);
const second = fc.nat({ max: 2 ** 31 });
const terms = fc.record({
  framework: word,
  jurisdiction: word,
  controlGroup: word,
  maxGrade: fc.nat({ max: 255 }),
  validFromS: second,
  validUntilS: second,
  identityPolicyHash: hash,
  securityPolicyHash: hash,
  privacyPolicyHash: hash,
  dataClasses: fc.array(word, { maxLength: 4 }),
});
const framework = fc.record({
  rulesHash: hash,
  rulesUri: fc.string({ unit: "grapheme" }),
  jurisdiction: word,
  levels: fc.array(word, { maxLength: 4 }),
});
const role = fc.constantFrom(...memberRoles);
const uri = fc.webUrl();
const small = fc.nat({ max: 32 });

const actions = fc.oneof(
  fc.tuple(account, role, terms).map((args) => council.certify(...args)),
  fc.tuple(account, role, terms).map((args) => council.renew(...args)),
  fc.tuple(account, role, word).map((args) => council.revokeCertification(...args)),
  fc.tuple(word, framework).map((args) => council.registerFramework(...args)),
  fc.tuple(word, hash, uri).map((args) => council.changeRules(...args)),
  fc.tuple(word, word, small).map((args) => council.recognise(...args)),
  fc.tuple(word, word).map((args) => council.withdrawRecognition(...args)),
  fc.tuple(account, word).map((args) => council.suspend(...args)),
  fc.tuple(account, word).map((args) => council.reinstate(...args)),
  fc.tuple(account, word).map((args) => council.changeControlGroup(...args)),
  fc.tuple(account, hash, uri).map((args) => council.reportIncident(...args)),
  fc.tuple(small, hash, uri).map((args) => council.resolveIncident(...args)),
  fc.tuple(hash, word).map((args) => council.revokeAlgorithm(...args)),
  account.map(council.addCouncilMember),
  account.map(council.removeCouncilMember),
  fc.tuple(account, account).map((args) => council.replaceCouncilMember(...args)),
  small.map(council.changeThreshold),
  small.map(council.changeEmergencyQuorum),
  second.map(council.changeDelay),
);

describe("the council's actions as calls", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(actions, (action) => {
        expect(decodeAction(deployment, encodeAction(deployment, action))).to.deep.equal(action);
      }),
      { numRuns: 500 },
    );
  });

  it("are not read from bytes that say the same in another way, or to another contract", () => {
    fc.assert(
      fc.property(actions, (action) => {
        const { target, payload } = encodeAction(deployment, action);
        expect(decodeAction(deployment, { target, payload: `${payload}00` })).to.equal(undefined);
        expect(decodeAction(deployment, { target, payload: payload.slice(0, -2) })).to.equal(undefined);
        expect(decodeAction(deployment, { target: at("9"), payload })).to.equal(undefined);
      }),
    );
  });

  it("write names that no two words share", () => {
    fc.assert(
      fc.property(hash, (text) => {
        const name = decodeWord(text);
        expect(name === "" ? /^0x0*$/.test(text) : encodeWord(name) === text).to.equal(true);
      }),
    );
    expect(decodeWord(encodeWord("wages"))).to.equal("wages");
    expect(hash32Pattern.test(encodeWord("x".repeat(31)))).to.equal(true);
    for (const bad of ["", "x".repeat(32), "über", "a\nb", "0x12\0"])
      expect(() => encodeWord(bad)).to.throw();
  });
});
