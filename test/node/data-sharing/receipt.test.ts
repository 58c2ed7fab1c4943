import { expect } from "chai";
import fc from "fast-check";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { planHash } from "../../../node/data-sharing/plan/plan-hash.ts";
import { completeReceipt } from "../../../node/data-sharing/querier.ts";
import { requestStruct } from "../../../node/data-sharing/question-request.ts";
import { type Receipt, receiptText } from "../../../node/data-sharing/receipt.ts";
import { answerHash } from "../../../node/data-sharing/release/answer.ts";
import { transcriptHash } from "../../../node/data-sharing/transcript.ts";
import { verifyReceipt } from "../../../node/data-sharing/verify-receipt.ts";
import { promiseStruct, transcriptStruct } from "../../../node/ledger/audit-entry.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { algorithm, RepositoryWorld } from "../../support/repository-world.ts";
import { testDeployment } from "../../support/wallet-signer.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

describe("a receipt", () => {
  let world: RepositoryWorld;
  let answered: Receipt;
  let refused: Receipt;

  const modules = (over: object = {}) => ({
    deployment: testDeployment,
    chain: world.chain,
    members: world.chain,
    algorithms: world.chain,
    ...over,
  });
  const verify = async (text: string, over: object = {}) => await verifyReceipt(text, modules(over));
  const failed = async (text: string, over: object = {}) =>
    (await verify(text, over)).checks.filter(({ passed }) => !passed).map(({ name }) => name);
  const complete = async (receipt: Receipt) => (await completeReceipt(receipt, world.offer, world.peers()))!;

  before(async () => {
    world = await RepositoryWorld.ready();
    const ask = async (parameters: Record<string, number>) =>
      (await world.querier().ask({ ...world.question, parameters }, world.offer)).receipt;
    const pending = await ask({ minimum_age: 16 });
    await ask({ minimum_age: 20 });
    const denied = (await world.querier().ask({ ...world.question, purpose: "dpv:Marketing" }, world.offer))
      .receipt;
    expect(await completeReceipt(pending, world.offer, world.peers())).to.equal(undefined);
    expect(await failed(receiptText(pending))).to.deep.equal(["inclusion", "budget", "anchor"]);
    await world.anchoring.tick();
    answered = await complete(pending);
    refused = await complete(denied);
  });
  after(() => world.dispose());

  it("of an answer and of a refusal is valid once its batch is on the chain, each check named once", async () => {
    for (const receipt of [answered, refused]) {
      const { valid, checks } = await verify(receiptText(receipt));
      expect(checks.filter(({ passed }) => !passed)).to.deep.equal([]);
      expect(valid).to.equal(true);
      expect(new Set(checks.map(({ name }) => name)).size).to.equal(checks.length);
      expect(checks.every(({ detail }) => detail.length > 0)).to.equal(true);
    }
  });

  it("stays valid after the querier is suspended and the algorithm revoked, as they were in force then", async () => {
    world.chain.setMember(world.querierSigner.address, "querier", "suspended");
    world.chain.setAlgorithm(algorithmHash(algorithm), "revoked");
    expect((await verify(receiptText(answered))).valid).to.equal(true);
  });

  it("becomes invalid by any change of one character of any value, and a check is named", async function () {
    this.timeout(240_000);
    for (const receipt of [answered, refused]) {
      const text = receiptText(receipt);
      const places = placesOfValues(text);
      const step = Math.max(1, Math.floor(places.length / 250));
      for (let i = 0; i < places.length; i += step) {
        const at = places[i]!;
        const changed = text.slice(0, at) + other(text[at]!) + text.slice(at + 1);
        const names = await failed(changed);
        expect(names.length, `${at}: ${text.slice(Math.max(0, at - 40), at + 10)}`).to.be.greaterThan(0);
      }
    }
  });

  it("becomes invalid by any other value, a missing one or an added one at any place", async function () {
    this.timeout(120_000);
    const paths = pathsOf(answered as unknown as Json);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.oneof(
          fc.constant(null),
          fc.boolean(),
          fc.integer(),
          fc.string(),
          fc.constant([]),
          fc.constant({}),
        ),
        async (path, value) => {
          const changed = structuredClone(answered) as unknown as Json;
          if (canonicalJson(replaceAt(changed, path, value as Json)) === canonicalJson(answered)) return;
          expect(await failed(`${canonicalJson(changed)}\n`)).to.not.deep.equal([]);
        },
      ),
      { numRuns: 300 },
    );
    const added = { ...answered, extra: 1 };
    expect(await failed(`${canonicalJson(added)}\n`)).to.deep.equal(["canonical-form"]);
  });

  it("has one text: other spacing, key order, escapes or a repeated key are refused", async () => {
    const text = receiptText(answered);
    const texts = [
      JSON.stringify(answered, null, 2),
      text.trimEnd(),
      `${text}\n`,
      text.replace('"version":"itd-receipt/1"', '"version":"itd-receipt\\/1"'),
      `{"version":"itd-receipt/1",${text.slice(1)}`,
      "",
      "null",
      "[".repeat(100),
    ];
    for (const wrong of texts)
      expect(await failed(wrong), wrong.slice(0, 60)).to.deep.equal(["canonical-form"]);
  });

  it("of another chain, other contracts or another block history is invalid", async () => {
    const text = receiptText(answered);
    const otherChain = { ...testDeployment, chainId: 5 };
    expect(await failed(text, { deployment: otherChain })).to.include.members([
      "request-signature",
      "repository-signature",
      "querier-signature",
      "promise",
    ]);
    const empty = new RepositoryWorld();
    const { chain } = empty;
    expect(await failed(text, { chain, members: chain, algorithms: chain })).to.include.members([
      "anchor",
      "block",
    ]);
    empty.dispose();
  });

  it("without the querier's signature does not match the log, which has it", async () => {
    expect(await failed(receiptText({ ...answered, querierSignature: null }))).to.deep.equal([
      "querier-signature",
      "inclusion",
    ]);
  });

  it("cannot be made up by both parties together: not another plan, price, time, purpose or promise", async () => {
    const forge = async (change: (receipt: Receipt) => void) => {
      const forged = structuredClone(answered);
      change(forged);
      const hash = transcriptHash(forged.transcript);
      const struct = transcriptStruct(testDeployment, hash);
      forged.repositorySignature = await world.repositorySigner.sign(struct);
      forged.querierSignature = await world.querierSigner.sign(struct);
      const promised = promiseStruct(testDeployment, hash, forged.promise.byBlock);
      forged.promise.signature = await world.repositorySigner.sign(promised);
      const { request } = forged.transcript;
      forged.transcript.requestSignature = await world.querierSigner.sign(
        requestStruct(testDeployment, request),
      );
      return (await failed(receiptText(forged))).filter((name) => name !== "inclusion");
    };
    expect(await forge(() => undefined)).to.deep.equal([]);
    const forgeries: [string, (receipt: Receipt) => void][] = [
      [
        "plan",
        ({ plan, transcript, answer }) => {
          plan!.floor.minimum = 0;
          transcript.plan = planHash(plan!);
          answer!.plan = transcript.plan;
          transcript.answer = answerHash(answer!);
        },
      ],
      [
        "dataset",
        ({ dataset }) => {
          dataset!.minimumPeople = 0;
        },
      ],
      [
        "algorithm",
        ({ algorithm: told }) => {
          told!.title = "Another title";
        },
      ],
      [
        "charge",
        ({ transcript }) => {
          transcript.chargeMicroRho = "1";
        },
      ],
      [
        "time",
        ({ transcript }) => {
          transcript.timeS += 100_000;
        },
      ],
      [
        "time",
        ({ transcript }) => {
          transcript.timeS = 1;
        },
      ],
      [
        "promise",
        ({ promise }) => {
          promise.byBlock = 2 ** 50;
        },
      ],
      [
        "block",
        ({ transcript }) => {
          transcript.block.hash = sha256Hex("no such block");
        },
      ],
    ];
    for (const [name, change] of forgeries) expect(await forge(change), name).to.include(name);
  });

  it("of a querier that never signed is one-sided, and not valid", async () => {
    const other = await RepositoryWorld.ready();
    const peers = other.peers();
    const silent = other.querier({ ...peers, countersign: async () => undefined });
    const { receipt } = await silent.ask(other.question, other.offer);
    await other.anchoring.tick();
    expect(await completeReceipt(receipt, other.offer, peers)).to.equal(undefined);
    other.clock.advance(10_000);
    await other.anchoring.tick();
    const unsigned = (await completeReceipt(receipt, other.offer, peers))!;
    expect(unsigned.querierSignature).to.equal(null);
    const { valid, checks } = await verifyReceipt(receiptText(unsigned), {
      deployment: testDeployment,
      chain: other.chain,
      members: other.chain,
      algorithms: other.chain,
    });
    expect(valid).to.equal(false);
    const [only, ...others] = checks.filter(({ passed }) => !passed);
    expect(others).to.deep.equal([]);
    expect(only).to.include({ name: "querier-signature" });
    expect(only!.detail).to.contain("never signed");
    other.dispose();
  });

  it("shows a broken promise: anchored later than promised", async () => {
    const other = await RepositoryWorld.ready();
    const { receipt } = await other.querier().ask(other.question, other.offer);
    for (let i = 0; i < 101; i++) other.chain.mine();
    await other.anchoring.tick();
    const late = (await completeReceipt(receipt, other.offer, other.peers()))!;
    const { checks } = await verifyReceipt(receiptText(late), {
      deployment: testDeployment,
      chain: other.chain,
      members: other.chain,
      algorithms: other.chain,
    });
    expect(checks.filter(({ passed }) => !passed).map(({ name }) => name)).to.deep.equal(["promise"]);
    other.dispose();
  });
});

/** Offsets of characters that belong to a value (inside strings and numbers and words), not to keys or punctuation. */
function placesOfValues(text: string): number[] {
  const places: number[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|true|false|null/g;
  for (const match of text.matchAll(token)) {
    if (match[1] !== undefined) continue;
    const isString = match[0].startsWith('"');
    const from = match.index + (isString ? 1 : 0);
    const to = match.index + match[0].length - (isString ? 1 : 0);
    for (let at = from; at < to; at++) places.push(at);
  }
  return places;
}

/** Another character of the same kind, so that the text stays as plausible as can be. */
function other(character: string): string {
  if (/\d/.test(character)) return String((Number(character) + 1) % 10);
  if (/[a-f]/.test(character))
    return character === "f" ? "a" : String.fromCharCode(character.charCodeAt(0) + 1);
  return character === "x" ? "y" : "x";
}

function pathsOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== "object") return [path];
  const inner = Array.isArray(value) ? value.map((item, i) => [i, item] as const) : Object.entries(value);
  return inner.flatMap(([key, item]) => pathsOf(item, [...path, key]));
}

function replaceAt(root: Json, path: readonly (string | number)[], value: Json): Json {
  let place = root as Record<string | number, Json>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, Json>;
  place[path.at(-1)!] = value;
  return root;
}
