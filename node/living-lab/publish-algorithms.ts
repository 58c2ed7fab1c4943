/**
 * Publishes the lab's algorithms and has them vetted: the author puts the hash on the chain and the manifest into the directories, two
 * vetters of other control groups sign. Only what is missing is done.
 */
import { approvalStruct } from "../data-sharing/approval.ts";
import { type AlgorithmManifest, algorithmHash } from "../data-sharing/manifests/algorithm-manifest.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import { type Hex, sha256Hex } from "../primitives/hex.ts";
import { authorId, type DataClass, organisation, organisations, vettersOf } from "./organisations.ts";
import type { LabParties, Progress } from "./ports.ts";

const approvedDays = 365;
/** Approvals that the lab's registry asks for; one vetter of each class stays in reserve. */
export const approvalsRequired = 2;

export interface VettedAlgorithm {
  manifest: AlgorithmManifest;
  /** Titles of those who signed. */
  approvedBy: string[];
}

export async function publishAlgorithms(
  manifests: readonly AlgorithmManifest[],
  parties: LabParties,
  progress: Progress,
): Promise<VettedAlgorithm[]> {
  const vetted: VettedAlgorithm[] = [];
  for (const manifest of manifests) {
    await publish(manifest, parties);
    await pushToDirectories(manifest, parties);
    const approvedBy = await approve(manifest, parties);
    vetted.push({ manifest, approvedBy });
    progress(`${manifest.name}: on the chain, approved by ${approvedBy.join(" and ") || "nobody now"}`);
  }
  return vetted;
}

async function publish(manifest: AlgorithmManifest, parties: LabParties): Promise<void> {
  const author = parties[authorId];
  const hash = algorithmHash(manifest);
  if ((await author.algorithms.algorithm(hash)) !== undefined) return;
  const uri = `/v1/directory/algorithms/${hash}`;
  await (await author.algorithmWriter()).publish(hash, uri, manifest.kind, manifest.dataClass);
}

async function pushToDirectories(manifest: AlgorithmManifest, parties: LabParties): Promise<void> {
  const { directory, peers } = parties[authorId];
  const hash = algorithmHash(manifest);
  const text = canonicalJson(manifest);
  for (const entry of await directory.entries("directory")) {
    if ((await peers.manifest(entry, hash)) === undefined) await peers.pushManifest(entry, hash, text);
  }
}

async function approve(manifest: AlgorithmManifest, parties: LabParties): Promise<string[]> {
  const hash = algorithmHash(manifest);
  const standing = (await parties[authorId].algorithms.algorithm(hash))?.approvals ?? [];
  const vetters = vettersOf(manifest.dataClass as DataClass).slice(0, approvalsRequired);
  for (const { id } of vetters) {
    const party = parties[id];
    const signer = await party.signer();
    // Signed once: what a vetter took back, or let expire, is its own affair.
    if (standing.some(({ vetter }) => vetter === signer.address)) continue;
    const expiresS = Math.floor(party.clock.nowMs() / 1000) + approvedDays * 86_400;
    const reviewHash = sha256Hex(`Review of ${manifest.name} by ${organisation(id).title}`);
    const approval = { algorithm: hash, vetter: signer.address, expiresS, reviewHash };
    const signature = await signer.sign(approvalStruct(party.deployment, approval));
    await (await party.algorithmWriter()).approve(hash, signer.address, expiresS, reviewHash, signature);
  }
  return await approversOf(hash, parties);
}

/** Titles of those whose approval counts now. */
async function approversOf(hash: Hex, parties: LabParties): Promise<string[]> {
  const approvals = (await parties[authorId].algorithms.algorithm(hash))?.approvals ?? [];
  const counting = new Set(approvals.filter(({ counts }) => counts).map(({ vetter }) => vetter));
  const titles = organisations.map(async ({ id, title }) => {
    return counting.has((await parties[id].signer()).address) ? [title] : [];
  });
  return (await Promise.all(titles)).flat();
}
