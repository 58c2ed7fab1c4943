import { expect } from "chai";
import { AlgorithmLookup } from "../../../node/data-sharing/algorithm-lookup.ts";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { DirectoryEntry, DirectoryReader, PeerClient } from "../../../node/data-sharing/ports.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { expectCode } from "../../support/errors.ts";
import { algorithm } from "../../support/repository-world.ts";

const hash = algorithmHash(algorithm);
const text = canonicalJson(algorithm);

describe("looking an algorithm up", () => {
  /** A lookup over directories that answer so. */
  function world(answers: Record<string, () => string | undefined>) {
    const kept = new Map<string, string>();
    const asked: string[] = [];
    const problems: unknown[] = [];
    let isChainDown = false;
    const directory = {
      entries: async () => {
        if (isChainDown) throw new TrustedDataError("chain_unavailable", "The chain does not answer.");
        return Object.keys(answers).map((endpoint) => ({ endpoint, certified: true }) as DirectoryEntry);
      },
    } as unknown as DirectoryReader;
    const peers = {
      manifest: async ({ endpoint }: { endpoint: string }) => {
        asked.push(endpoint);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return answers[endpoint]!();
      },
    } as unknown as PeerClient;
    const store = {
      saveDescription: () => undefined,
      descriptions: () => [],
      saveManifest: (key: string, value: string) => void kept.set(key, value),
      manifest: (key: string) => kept.get(key),
    };
    const onProblem = (error: unknown) => void problems.push(error);
    const lookup = new AlgorithmLookup({ directory, peers, store, onProblem });
    const chainDown = (isDown: boolean) => {
      isChainDown = isDown;
    };
    return { lookup, kept, asked, problems, chainDown };
  }

  it("searches once for many questions, and not again", async () => {
    const { lookup, asked } = world({ a: () => text, b: () => undefined });
    const found = await Promise.all(Array.from({ length: 50 }, () => lookup.manifestText(hash)));
    expect(new Set(found)).to.deep.equal(new Set([text]));
    expect(await lookup.manifestText(hash)).to.equal(text);
    expect(asked).to.deep.equal(["a", "b"]);
  });

  it("searches again after nobody had it, or the chain was down", async () => {
    let has = false;
    const { lookup, chainDown } = world({ a: () => (has ? text : undefined) });
    expect(await lookup.manifestText(hash)).to.equal(undefined);
    chainDown(true);
    await expectCode(() => lookup.manifestText(hash), "chain_unavailable");
    chainDown(false);
    has = true;
    expect(await lookup.manifestText(hash)).to.equal(text);
  });

  it("takes no text with another hash, and says who served it", async () => {
    const other = canonicalJson({ ...algorithm, version: 2 });
    const { lookup, kept, problems } = world({ liar: () => other, b: () => text });
    expect(await lookup.manifestText(hash)).to.equal(text);
    expect(kept.get(hash)).to.equal(text);
    expect(String(problems[0])).to.include("liar");
  });
});
