import { expect } from "chai";
import { encodeBytes32String as word, ZeroHash } from "ethers";
import {
  connect,
  decide,
  deployWithFramework,
  FRAMEWORK_ID,
  frameworkCall,
  momentOf,
} from "../support/system.ts";

const connection = await connect();
const { networkHelpers } = connection;
const OTHER_ID = word("framework-us");
const MAX_URI_BYTES = 512;

const rules = (change: Partial<{ rulesHash: string; rulesUri: string; levels: string[] }> = {}) => ({
  rulesHash: word("other rules"),
  rulesUri: "https://example.org/other",
  jurisdiction: word("US"),
  levels: [word("one"), word("two")],
  ...change,
});

/** Two frameworks: ours with three levels, another with two. */
async function twoFrameworks() {
  const s = await deployWithFramework(connection);
  const act = async (name: string, ...args: unknown[]) =>
    await decide(connection, s, frameworkCall(s, name, ...args));
  await act("registerFramework", OTHER_ID, rules());
  return { s, framework: s.framework, act };
}

const load = () => networkHelpers.loadFixture(twoFrameworks);

describe("Frameworks", () => {
  describe("registering", () => {
    it("puts rules, jurisdiction and levels of assurance on record", async () => {
      const { framework, act } = await load();
      const id = word("third");
      await expect(act("registerFramework", id, rules({ levels: [word("only")] })))
        .to.emit(framework, "FrameworkRegistered")
        .withArgs(id, word("other rules"), "https://example.org/other", word("US"), [word("only")]);
      const { rulesHash, rulesUri, jurisdiction, levels } = await framework.frameworkOf(id);
      expect([rulesHash, rulesUri, jurisdiction]).to.deep.equal([
        word("other rules"),
        "https://example.org/other",
        word("US"),
      ]);
      expect(levels).to.deep.equal([word("only")]);
      expect(await framework.frameworkCount()).to.equal(3);
      const ids = await Promise.all([0, 1, 2].map((i) => framework.frameworkAt(i)));
      expect(ids).to.deep.equal([FRAMEWORK_ID, OTHER_ID, id]);
    });

    it("takes eight levels and a rules document without an address", async () => {
      const { framework, act } = await load();
      const levels = Array.from({ length: 8 }, (_, i) => word(`level ${i}`));
      await act("registerFramework", word("third"), rules({ levels, rulesUri: "" }));
      expect((await framework.frameworkOf(word("third"))).levels).to.deep.equal(levels);
    });

    it("refuses an id that is taken, and what is no framework", async () => {
      const { framework, act } = await load();
      await expect(act("registerFramework", OTHER_ID, rules()))
        .to.be.revertedWithCustomError(framework, "FrameworkExists")
        .withArgs(OTHER_ID);
      const nine = Array.from({ length: 9 }, (_, i) => word(`level ${i}`));
      const cases: [string, ReturnType<typeof rules>][] = [
        [ZeroHash, rules()],
        [word("third"), rules({ levels: [] })],
        [word("third"), rules({ levels: nine })],
        [word("third"), rules({ rulesHash: ZeroHash })],
        [word("third"), rules({ rulesUri: "u".repeat(MAX_URI_BYTES + 1) })],
      ];
      for (const [id, given] of cases) {
        await expect(act("registerFramework", id, given))
          .to.be.revertedWithCustomError(framework, "InvalidFramework")
          .withArgs(id);
      }
      expect(await framework.frameworkCount()).to.equal(2);
    });

    it("is for the council alone, like all that follows", async () => {
      const { s, framework } = await load();
      for (const caller of [s.members[0]!, s.outsiders[0]!]) {
        const direct = framework.connect(caller);
        for (const attempt of [
          () => direct.registerFramework(word("third"), rules()),
          () => direct.changeRules(OTHER_ID, word("new"), ""),
          () => direct.recognise(OTHER_ID, FRAMEWORK_ID, 1),
          () => direct.withdrawRecognition(OTHER_ID, FRAMEWORK_ID),
        ]) {
          await expect(attempt())
            .to.be.revertedWithCustomError(framework, "OnlyCouncil")
            .withArgs(caller.address);
        }
      }
    });

    it("leaves an unknown framework empty", async () => {
      const { framework } = await load();
      const { rulesHash, levels } = await framework.frameworkOf(word("unknown"));
      expect([rulesHash, levels]).to.deep.equal([ZeroHash, []]);
    });
  });

  describe("changing the rules", () => {
    it("replaces the document, and names old and new in the event", async () => {
      const { framework, act } = await load();
      await expect(act("changeRules", OTHER_ID, word("new"), "https://example.org/new"))
        .to.emit(framework, "RulesChanged")
        .withArgs(OTHER_ID, word("other rules"), word("new"), "https://example.org/new");
      const { rulesHash, rulesUri, levels } = await framework.frameworkOf(OTHER_ID);
      expect([rulesHash, rulesUri]).to.deep.equal([word("new"), "https://example.org/new"]);
      expect(levels).to.deep.equal([word("one"), word("two")]);
    });

    it("refuses unknown frameworks, no hash, and too long an address", async () => {
      const { framework, act } = await load();
      await expect(act("changeRules", word("unknown"), word("new"), ""))
        .to.be.revertedWithCustomError(framework, "UnknownFramework")
        .withArgs(word("unknown"));
      for (const [hash, uri] of [
        [ZeroHash, ""],
        [word("new"), "u".repeat(MAX_URI_BYTES + 1)],
      ]) {
        await expect(act("changeRules", OTHER_ID, hash, uri))
          .to.be.revertedWithCustomError(framework, "InvalidFramework")
          .withArgs(OTHER_ID);
      }
    });
  });

  describe("recognition", () => {
    it("does not exist unless decided, but for a framework's own grades", async () => {
      const { framework } = await load();
      expect(await framework.gradeCapOf(OTHER_ID, FRAMEWORK_ID)).to.equal(0);
      expect(await framework.gradeCapOf(OTHER_ID, OTHER_ID)).to.equal(255);
    });

    it("goes one way, up to its cap, and not through a third framework", async () => {
      const { framework, act } = await load();
      await act("registerFramework", word("third"), rules());
      await expect(act("recognise", OTHER_ID, FRAMEWORK_ID, 2))
        .to.emit(framework, "Recognised")
        .withArgs(OTHER_ID, FRAMEWORK_ID, 2);
      await act("recognise", FRAMEWORK_ID, word("third"), 2);
      expect(await framework.gradeCapOf(OTHER_ID, FRAMEWORK_ID)).to.equal(2);
      expect(await framework.gradeCapOf(FRAMEWORK_ID, OTHER_ID)).to.equal(0);
      expect(await framework.gradeCapOf(OTHER_ID, word("third"))).to.equal(0);
    });

    it("is capped by a grade of the recognising framework", async () => {
      const { framework, act } = await load();
      await act("recognise", OTHER_ID, FRAMEWORK_ID, 3);
      await expect(act("recognise", OTHER_ID, FRAMEWORK_ID, 4))
        .to.be.revertedWithCustomError(framework, "InvalidFramework")
        .withArgs(FRAMEWORK_ID);
      await expect(act("recognise", FRAMEWORK_ID, OTHER_ID, 3))
        .to.be.revertedWithCustomError(framework, "InvalidFramework")
        .withArgs(OTHER_ID);
    });

    it("remembers each cap at the end of each block", async () => {
      const { framework, act } = await load();
      const first = await momentOf(await act("recognise", OTHER_ID, FRAMEWORK_ID, 3));
      const second = await momentOf(await act("recognise", OTHER_ID, FRAMEWORK_ID, 1));
      await expect(act("withdrawRecognition", OTHER_ID, FRAMEWORK_ID))
        .to.emit(framework, "RecognitionWithdrawn")
        .withArgs(OTHER_ID, FRAMEWORK_ID);
      const third = await momentOf(await act("recognise", OTHER_ID, FRAMEWORK_ID, 2));
      await networkHelpers.mine();
      const cap = (block: number) => framework.gradeCapAt(OTHER_ID, FRAMEWORK_ID, block);
      const blocks = [
        first.block - 1,
        first.block,
        second.block - 1,
        second.block,
        third.block - 1,
        third.block,
      ];
      expect(await Promise.all(blocks.map(cap))).to.deep.equal([0n, 3n, 3n, 1n, 0n, 2n]);
      expect(await framework.gradeCapAt(OTHER_ID, OTHER_ID, first.block)).to.equal(255);
    });

    it("ends at once when withdrawn, and cannot be withdrawn twice", async () => {
      const { framework, act } = await load();
      await act("recognise", OTHER_ID, FRAMEWORK_ID, 3);
      await act("withdrawRecognition", OTHER_ID, FRAMEWORK_ID);
      expect(await framework.gradeCapOf(OTHER_ID, FRAMEWORK_ID)).to.equal(0);
      for (const [from, to] of [
        [OTHER_ID, FRAMEWORK_ID],
        [FRAMEWORK_ID, OTHER_ID],
      ]) {
        await expect(act("withdrawRecognition", from, to))
          .to.be.revertedWithCustomError(framework, "NotRecognised")
          .withArgs(from, to);
      }
    });

    it("refuses unknown frameworks, itself, and a cap of zero", async () => {
      const { framework, act } = await load();
      const unknown = word("unknown");
      const cases: [string, string, number, string, unknown[]][] = [
        [unknown, FRAMEWORK_ID, 1, "UnknownFramework", [unknown]],
        [FRAMEWORK_ID, unknown, 1, "UnknownFramework", [unknown]],
        [OTHER_ID, OTHER_ID, 1, "InvalidRecognition", [OTHER_ID, OTHER_ID, 1]],
        [OTHER_ID, FRAMEWORK_ID, 0, "InvalidRecognition", [OTHER_ID, FRAMEWORK_ID, 0]],
      ];
      for (const [from, to, cap, error, args] of cases) {
        await expect(act("recognise", from, to, cap))
          .to.be.revertedWithCustomError(framework, error)
          .withArgs(...args);
      }
    });
  });
});
