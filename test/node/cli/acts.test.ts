import { expect } from "chai";
import { actionNames, buildAction } from "../../../node/cli/council-actions.ts";
import { actionText } from "../../../node/cli/council-acts.ts";
import { accountFrom, accountText, hashFrom } from "../../../node/cli/names.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import type { AnchorChain, AnchoredBatch } from "../../../node/ledger/ports.ts";
import { fromHex, sha256Hex, toHex, zeroHash } from "../../../node/primitives/hex.ts";
import { MerkleTree } from "../../../node/primitives/merkle.ts";
import { expectCode } from "../../support/errors.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { partialClient, run } from "./support/recorded-terminal.ts";

const bank = `0x${"11".repeat(20)}`;
const city = `0x${"22".repeat(20)}`;
const client = {
  names: new Map([
    [bank, "Harbour Bank"],
    [city, "City"],
  ]),
  ids: new Map([
    ["bank", bank],
    ["city", city],
  ]),
};

describe("what is typed for an account or a hash", () => {
  it("may be an address, an id of the lab or a name", () => {
    for (const text of [bank, bank.toUpperCase().replace("X", "x"), "bank", "harbour bank"])
      expect(accountFrom(client, text)).to.equal(bank);
    expect(accountText(client, bank)).to.equal("Harbour Bank (0x111111…1111)");
    expect(accountText(client, zeroHash)).to.equal(zeroHash);
  });

  it("is refused when it is nobody, saying who there is", async () => {
    for (const text of ["hospital", "", "0x11", `${bank}1`]) {
      const error = await expectCode(() => accountFrom(client, text), "member_unknown");
      expect(error.message).to.contain("bank, city");
    }
  });

  it("may be the beginning of a hash, if it is long enough and of one only", () => {
    const hashes = [`0xaaaaaaaa${"0".repeat(56)}`, `0xaaaaaabb${"0".repeat(56)}`];
    expect(hashFrom(hashes, "0xaaaaaaaa")).to.equal(hashes[0]);
    expect(hashFrom(hashes, "aaaaaabb")).to.equal(hashes[1]);
    expect(hashFrom(hashes, hashes[1]!)).to.equal(hashes[1]);
    for (const text of ["0xaaaaaa", "0xaaaa", "union-wage", "0xcccccccc", ""])
      expect(hashFrom(hashes, text)).to.equal(undefined);
  });
});

describe("actions of the council", () => {
  it("are built from what is typed, and said again in words", () => {
    const action = buildAction(client, "replace-member", ["bank", city]);
    expect(action).to.deep.equal({
      contract: "trust-council",
      function: "replaceMember",
      args: [bank, city],
    });
    expect(actionText(client, action)).to.equal(
      "trust-council: replaceMember(Harbour Bank (0x111111…1111), City (0x222222…2222))",
    );
  });

  it("are refused as wrong usage with too few or too many arguments", async () => {
    for (const name of actionNames()) {
      await expectCode(() => buildAction(client, name, []), "usage");
      await expectCode(() => buildAction(client, name, ["bank", "1", "2", "3"]), "usage");
    }
  });

  it("are refused for what no contract would take", async () => {
    const wrong: [string, string[]][] = [
      ["threshold", ["many"]],
      ["threshold", ["-1"]],
      ["delay", ["1.5"]],
      ["revoke-certification", ["bank", "king", "why"]],
      ["reinstate", ["bank", "a reason of far more than thirty-one characters"]],
      ["reinstate", ["bank", "ümlaut"]],
      ["revoke-algorithm", ["0x12", "why"]],
    ];
    for (const [name, args] of wrong) await expectCode(() => buildAction(client, name, args), "usage");
  });

  it("cannot be proposed under a name that is none", async () => {
    const { exitCode, err } = await run(["council", "propose", "world-peace"]);
    expect(exitCode).to.equal(2);
    expect(err).to.contain("replace-member");
  });
});

describe("itd audit check", () => {
  const leaves = [sha256Hex("one"), sha256Hex("two")];
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(fromHex(leaf));
  const terms = {
    sequence: 1,
    previousLink: zeroHash,
    root: toHex(tree.root()),
    entryCount: 2,
    budgets: "0x",
  };
  const onChain: AnchoredBatch = { ...terms, party: bank, blockNumber: 5, link: sha256Hex("link") };
  const honest = { batch: { ...terms, anchored: { blockNumber: 5, link: onChain.link } }, leaves };

  const clock = new ManualClock();

  async function check(answer: () => Promise<unknown>) {
    const entry = {
      member: bank,
      role: "repository" as const,
      endpoint: "https://bank.test",
      tlsFingerprint: zeroHash,
      metadataHash: zeroHash,
      certified: true,
    };
    const chain = {
      latestAnchor: async () => onChain,
      anchorOf: async () => onChain,
    } as unknown as AnchorChain;
    const openClient = async () =>
      partialClient({
        ...client,
        chain,
        clock,
        directory: { entries: async () => [entry], entry: async () => entry },
        peers: { batch: answer } as never,
      });
    const json = await run(["audit", "check", "--json"], { openClient });
    const text = await run(["audit", "check"], { openClient });
    expect(text.exitCode).to.equal(json.exitCode);
    return { exitCode: json.exitCode, document: JSON.parse(json.out), text: text.out };
  }

  it("passes for a party whose log is as anchored", async () => {
    const { exitCode, document, text } = await check(async () => honest);
    expect(exitCode).to.equal(0);
    expect(document.parties[0]).to.include({
      name: "Harbour Bank",
      batches: 1,
      entries: 2,
      unreachable: null,
    });
    expect(text).to.contain("✓ Harbour Bank (0x111111…1111): 1 batch with 2 entries, as anchored.");
  });

  it("fails, naming the batch, for a party that altered an entry", async () => {
    const { exitCode, document, text } = await check(async () => ({
      ...honest,
      leaves: [leaves[0], zeroHash],
    }));
    expect(exitCode).to.equal(1);
    expect(document.passed).to.equal(false);
    expect(text).to.contain("batch 1: the leaves do not make the anchored root");
  });

  it("waits a minute for a party that shows no more pages in this one, and no longer", async () => {
    let limited = 3;
    let asked = 0;
    const answer = async () => {
      asked++;
      if (limited-- > 0) throw new TrustedDataError("rate_limited", "Too many requests; wait a minute.");
      return honest;
    };
    expect((await check(answer)).exitCode).to.equal(0);
    // Asked for twice by each check: as JSON and as text.
    expect(asked).to.equal(5);
    limited = 1_000;
    const { exitCode, document } = await check(answer);
    expect(exitCode).to.equal(1);
    expect(document.parties[0].unreachable).to.equal("it does not show its log");
    expect(asked).to.equal(5 + 2 * 15);
  });

  it("fails for a party that shows nothing, or something else", async () => {
    for (const answer of [null, { batch: null }, { ...honest, leaves: [] }])
      expect((await check(async () => answer)).exitCode).to.equal(1);
  });
});
