/** What the suites of the stores are fed with: both stores of one node, and documents for them. */
import { expect } from "chai";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import type { Outcome, QuestionStore, StoredQuestion } from "../../node/data-sharing/ports.ts";
import { type BudgetLine, encodeBudgetLines } from "../../node/ledger/budget-line.ts";
import type { AuditStore } from "../../node/ledger/ports.ts";
import { type Hex, sha256Hex, zeroHash } from "../../node/primitives/hex.ts";

/** Both stores of one node; they share their transactions. */
export interface StoresUnderTest {
  questions: QuestionStore;
  audit: AuditStore;
  setNowMs(nowMs: number): void;
  /** Closes and opens again what is on disk. */
  reopen(): void;
  dispose(): void;
}

export const wages = hash("dataset wages");
export const health = hash("dataset health");
export const alice = `0x${"a1".repeat(20)}`;
export const bob = `0x${"b0".repeat(20)}`;
export const research = "dpv:ResearchAndDevelopment";
export const service = "dpv:ServiceProvision";
export const startMs = 1_700_000_000_000;

const count: Plan = {
  version: "itd-plan/2",
  rows: {
    sources: [{ kind: "table", table: "wages", rowsPerPerson: 1 }],
    publicJoins: [],
    filter: { kind: "always" },
  },
  bounding: { kind: "stored" },
  keys: [],
  vectors: [{ kind: "count", of: null }],
  releases: [{ mechanism: "gaussian", vector: 0, sensitivitySquared: "1", microRho: "10" }],
  floor: { release: 0, minimum: 10 },
  threshold: null,
  microRho: "10",
  outputs: [{ kind: "count", name: "people", shown: true, release: 0, cell: 0 }],
  post: { having: null, order: [], limit: null },
};

export function question(
  name: string,
  changes: { dataset?: Hex; querier?: Hex; purpose?: string } = {},
): StoredQuestion {
  const request = {
    question: hash(name),
    querier: changes.querier ?? alice,
    repository: account(999),
    dataset: changes.dataset ?? wages,
    algorithm: hash("algorithm"),
    parameters: { region: "north", year: 1985 },
    purpose: changes.purpose ?? research,
    keyThumbprint: "k".repeat(43),
    expiresS: 1_700_000_600,
  };
  return {
    id: request.question,
    state: "authorised",
    signed: { request, signature: `0x${"51".repeat(64)}1b` },
    dataset: "wages",
    block: { number: 7, hash: hash("block") },
    token: hash(`token ${name}`),
    tokenExpiresMs: startMs + 60_000,
    plan: count,
    manifest: hash("manifest of the dataset"),
    authorisation: `{"token":"${name}"}`,
    reply: undefined,
  };
}

export function outcome(name: string): Outcome {
  return {
    transcript: hash(name),
    repositorySignature: `0x${"52".repeat(64)}1c`,
    promisedBlock: 100,
    createdMs: startMs,
  };
}

/** Closes an empty batch with these lines on top of the newest one; returns its sequence. */
export function close(audit: AuditStore, lines: readonly BudgetLine[]): number {
  const latest = audit.latestBatch();
  const sequence = (latest?.sequence ?? 0) + 1;
  const previousLink = latest?.anchored?.link ?? zeroHash;
  const budgets = encodeBudgetLines(lines);
  audit.closeBatch({ sequence, previousLink, root: hash("root"), entryCount: 0, budgets }, []);
  return sequence;
}

export function anchor(audit: AuditStore, lines: readonly BudgetLine[]): void {
  const sequence = close(audit, lines);
  audit.markAnchored(sequence, { blockNumber: sequence * 10, link: hash(`link ${sequence}`) });
}

export function hash(name: string): Hex {
  return sha256Hex(name);
}

export function account(number: number): Hex {
  return `0x${number.toString(16).padStart(40, "0")}`;
}

export function expectCode(work: () => unknown, code: string): void {
  expect(work).to.throw().with.property("code", code);
}
