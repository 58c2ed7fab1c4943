import { expect } from "chai";
import { AlgorithmLookup } from "../../../node/data-sharing/algorithm-lookup.ts";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import type {
  DirectoryEntry,
  DirectoryReader,
  DirectoryStore,
  Peer,
  PeerClient,
} from "../../../node/data-sharing/ports.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { algorithm } from "../../support/repository-world.ts";

const hash = algorithmHash(algorithm);
const text = canonicalJson(algorithm);
const altered = canonicalJson({ ...algorithm, microRho: "1" });

/** Directories by endpoint: a text, nothing, an error, or silence for ever. */
type Behaviour = string | undefined | "down" | "silent";

function lookup(behaviours: Behaviour[], certified: (index: number) => boolean = () => true) {
  const kept = new Map<string, string>();
  const problems: string[] = [];
  const asked: string[] = [];
  const entries = behaviours.map((_, i) => ({ endpoint: `https://d${i}`, certified: certified(i) }));
  const peers: Pick<PeerClient, "manifest"> = {
    manifest: async ({ endpoint }: Peer) => {
      asked.push(endpoint);
      const behaviour = behaviours[Number(endpoint.slice("https://d".length))];
      if (behaviour === "silent") return await new Promise(() => undefined);
      if (behaviour === "down") throw new TrustedDataError("peer_unreachable", "It is down.");
      return behaviour;
    },
  };
  const source = new AlgorithmLookup({
    directory: { entries: async () => entries as DirectoryEntry[] } as unknown as DirectoryReader,
    peers: peers as PeerClient,
    store: {
      manifest: (algorithm: string) => kept.get(algorithm),
      saveManifest: (algorithm: string, manifest: string) => void kept.set(algorithm, manifest),
    } as unknown as DirectoryStore,
    onProblem: (error) => problems.push((error as TrustedDataError).code),
  });
  return { source, kept, problems, asked };
}

describe("looking up an algorithm's manifest", () => {
  it("takes the first that has the hash, and keeps it", async () => {
    const { source, kept, asked } = lookup([undefined, text, "silent"]);
    expect(await source.manifestText(hash)).to.equal(text);
    expect(kept.get(hash)).to.equal(text);
    await source.manifestText(hash);
    expect(asked).to.have.length(3);
  });

  it("takes nothing altered or unreadable, and tells who served it", async () => {
    const { source, kept, problems } = lookup([altered, "no manifest", "down"]);
    expect(await source.manifestText(hash)).to.equal(undefined);
    expect(kept.size).to.equal(0);
    expect(problems.sort()).to.deep.equal(["manifest_invalid", "peer_answer_invalid", "peer_unreachable"]);
  });

  it("finds it although others lie or are down", async () => {
    const { source, kept } = lookup([altered, "down", text]);
    expect(await source.manifestText(hash)).to.equal(text);
    expect(kept.get(hash)).to.equal(text);
  });

  it("asks no directory that is not certified", async () => {
    const { source, asked } = lookup([text, undefined], (index) => index === 1);
    expect(await source.manifestText(hash)).to.equal(undefined);
    expect(asked).to.deep.equal(["https://d1"]);
  });

  it("knows nothing where there is no directory", async () => {
    expect(await lookup([]).source.manifestText(hash)).to.equal(undefined);
  });
});
