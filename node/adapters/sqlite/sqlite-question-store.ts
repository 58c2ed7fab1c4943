/** The durable state of a repository (port QuestionStore) in the node's state file; it shares the file with the audit log. */
import type {
  BudgetLimits,
  ChargeRefusal,
  Outcome,
  QuestionStore,
  Randomness,
  StoredQuestion,
} from "../../data-sharing/ports.ts";
import type { SignedRequest } from "../../data-sharing/question-request.ts";
import { TrustedDataError } from "../../errors.ts";
import type { Clock } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { type Hex, hash32Pattern } from "../../primitives/hex.ts";
import { Books } from "./books.ts";
import { microRhoMax } from "./schema.ts";
import { insertEntry } from "./sqlite-audit-store.ts";
import type { StateDatabase } from "./state-database.ts";

export interface QuestionStoreModules {
  database: StateDatabase;
  randomness: Randomness;
  clock: Clock;
}

const state = "coalesce(replies.state, iif(charges.number IS NULL, 'authorised', 'charged')) AS state";
const fromQuestion = `FROM questions LEFT JOIN replies ON replies.question = questions.number
  LEFT JOIN charges ON charges.question = questions.number WHERE id = ?`;
const selectQuestion = `SELECT questions.*, reply, ${state} ${fromQuestion}`;
const selectHead = `SELECT questions.number, signed, ${state} ${fromQuestion}`;

export class SqliteQuestionStore implements QuestionStore {
  readonly #database: StateDatabase;
  readonly #randomness: Randomness;
  readonly #clock: Clock;
  readonly #books: Books;

  /** @throws TrustedDataError `state_damaged` if the sums of the budget are not those of its charges. */
  constructor({ database, randomness, clock }: QuestionStoreModules) {
    this.#database = database;
    this.#randomness = randomness;
    this.#clock = clock;
    this.#books = new Books(database);
    if (!this.#books.balance()) {
      throw new TrustedDataError(
        "state_damaged",
        "The budget ledger of the state file does not add up; restore the file from a backup, then start again.",
      );
    }
  }

  question(id: Hex): StoredQuestion | undefined {
    const row = this.#database.get<QuestionRow>(selectQuestion, id);
    return row === undefined ? undefined : questionOf(row);
  }

  saveAuthorised(question: StoredQuestion): void {
    const { id, signed, dataset, block, token, tokenExpiresMs, plan, manifest, authorisation } = question;
    assert(question.state === "authorised" && question.reply === undefined, "a question starts authorised");
    assert(signed.request.question === id, "a question is kept under its own id");
    const insert = `INSERT INTO questions (id, dataset, block_number, block_hash, token, token_expires_ms, signed, plan,
      manifest, authorisation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    this.#database.transaction(() => {
      this.#requireFree(id);
      this.#database.run(
        insert,
        ...[id, dataset, block.number, block.hash, token, tokenExpiresMs],
        ...[JSON.stringify(signed), JSON.stringify(plan), manifest, exact(authorisation)],
      );
    });
  }

  /** @throws TrustedDataError `question_conflict` if the id is taken. */
  saveRefused(id: Hex, request: SignedRequest, reply: string, outcome: Outcome): void {
    const insert = "INSERT INTO refusals (id, entry, signed, reply) VALUES (?, ?, ?, ?)";
    this.#database.transaction(() => {
      this.#requireFree(id);
      const entry = insertEntry(this.#database, outcome);
      this.#database.run(insert, id, entry, JSON.stringify(request), exact(reply));
    });
  }

  refusal(id: Hex): { signed: SignedRequest; reply: string } | undefined {
    const row = this.#database.get<{ signed: string; reply: string }>(
      "SELECT signed, reply FROM refusals WHERE id = ?",
      id,
    );
    return row && { signed: JSON.parse(row.signed), reply: row.reply };
  }

  charge(id: Hex, microRho: bigint, limits: BudgetLimits): ChargeRefusal | undefined {
    assert(microRho > 0n && microRho <= microRhoMax, "a charge is positive and bounded");
    assert(limits.totalMicroRho <= microRhoMax, "a budget is bounded");
    return this.#database.transaction(() => {
      const row = this.#required(id);
      if (row.state === "charged") {
        assert(
          this.#books.chargeOf(row.number) === microRho,
          "a question costs the same when it is asked again",
        );
        return undefined;
      }
      assert(row.state === "authorised", "a question is charged before it ends");
      const { request } = JSON.parse(row.signed) as SignedRequest;
      const { dataset, querier } = request;
      const purpose = limits.purpose ?? request.purpose;
      const total = this.#books.spent(dataset) + microRho;
      if (total > limits.totalMicroRho) return "budget_exhausted";
      if (this.#books.spentBy(dataset, querier, purpose) + microRho > limits.perQuerierMicroRho) {
        return "querier_budget_exhausted";
      }
      if (total > this.#books.ceiling(dataset)) return "budget_not_reserved";
      this.#books.charge({ question: row.number, dataset, querier, purpose, microRho });
      return undefined;
    });
  }

  saveReply(
    id: Hex,
    state: "answered" | "refused",
    reply: string,
    outcome: Outcome,
    release?: { key: Hex; answer: string },
  ): void {
    this.#database.transaction(() => {
      const row = this.#required(id);
      assert(row.state === "authorised" || row.state === "charged", "a question ends once");
      const entry = insertEntry(this.#database, outcome);
      const insert = "INSERT INTO replies (question, state, entry, reply) VALUES (?, ?, ?, ?)";
      this.#database.run(insert, row.number, state, entry, exact(reply));
      if (release !== undefined) this.#saveRelease(release.key, release.answer);
    });
  }

  release(key: Hex): string | undefined {
    return this.#database.get<{ answer: string }>("SELECT answer FROM releases WHERE key = ?", key)?.answer;
  }

  spent(dataset: Hex): bigint {
    return this.#books.spent(dataset);
  }

  spentBy(dataset: Hex, querier: Hex, purpose: string): bigint {
    return this.#books.spentBy(dataset, querier, purpose);
  }

  budgetedDatasets(): Hex[] {
    return this.#books.datasets();
  }

  anchoredCeiling(dataset: Hex): bigint {
    return this.#books.ceiling(dataset);
  }

  /** False also for a proof that has expired: such are forgotten, so that nobody could tell whether it was used before. */
  useProof(id: Hex, expiresMs: number): boolean {
    const nowMs = this.#clock.nowMs();
    return this.#database.transaction(() => {
      this.#forgetProofs(nowMs);
      const { forgotten_ms } = this.#database.get<{ forgotten_ms: number }>(
        "SELECT forgotten_ms FROM proof_horizon",
      )!;
      if (expiresMs <= Math.max(nowMs, forgotten_ms)) return false;
      const insert = "INSERT INTO proofs (id, expires_ms) VALUES (?, ?) ON CONFLICT DO NOTHING";
      return this.#database.run(insert, id, expiresMs) === 1;
    });
  }

  secret(name: string, byteCount: number): Uint8Array {
    const stored = this.#secret(name) ?? this.#database.transaction(() => this.#makeSecret(name, byteCount));
    assert(stored.length === byteCount, "a secret keeps its length");
    return stored;
  }

  #secret(name: string): Uint8Array | undefined {
    return this.#database.get<{ value: Uint8Array }>("SELECT value FROM secrets WHERE name = ?", name)?.value;
  }

  #makeSecret(name: string, byteCount: number): Uint8Array {
    const value = this.#randomness.bytes(byteCount);
    this.#database.run("INSERT INTO secrets (name, value) VALUES (?, ?)", name, value);
    return value;
  }

  /** Two answers to one plan over one state of the data must never both go out. */
  #saveRelease(key: Hex, answer: string): void {
    const insert = "INSERT INTO releases (key, answer) VALUES (?, ?) ON CONFLICT DO NOTHING";
    assert(this.#database.run(insert, key, exact(answer)) === 1, "a release is made once");
  }

  /** The horizon keeps a proof refused even if the clock is set back after it was forgotten. */
  #forgetProofs(nowMs: number): void {
    if (this.#database.run("DELETE FROM proofs WHERE expires_ms <= ?", nowMs) === 0) return;
    this.#database.run("UPDATE proof_horizon SET forgotten_ms = max(forgotten_ms, ?)", nowMs);
  }

  #requireFree(id: Hex): void {
    assert(hash32Pattern.test(id), "a question's id is 32 bytes");
    const taken = this.#database.get(
      "SELECT 1 AS taken FROM questions WHERE id = ?1 UNION ALL SELECT 1 FROM refusals WHERE id = ?1",
      id,
    );
    if (taken === undefined) return;
    throw new TrustedDataError(
      "question_conflict",
      "The question's id was used before; ask again under a new random id.",
      { question: id },
    );
  }

  #required(id: Hex): QuestionHead {
    const row = this.#database.get<QuestionHead>(selectHead, id);
    assert(row !== undefined, "the question was authorised");
    return row;
  }
}

type QuestionHead = { number: number; state: StoredQuestion["state"]; signed: string };

type QuestionRow = QuestionHead & {
  id: string;
  dataset: string;
  block_number: number;
  block_hash: string;
  token: string;
  token_expires_ms: number;
  plan: string;
  manifest: string;
  authorisation: string;
  reply: string | null;
};

function questionOf(row: QuestionRow): StoredQuestion {
  return {
    id: row.id,
    state: row.state,
    signed: JSON.parse(row.signed),
    dataset: row.dataset,
    block: { number: row.block_number, hash: row.block_hash },
    token: row.token,
    tokenExpiresMs: row.token_expires_ms,
    plan: JSON.parse(row.plan),
    manifest: row.manifest,
    authorisation: row.authorisation,
    reply: row.reply ?? undefined,
  };
}

/** A lone surrogate would come back as another character, and the reply not byte for byte. */
function exact(text: string): string {
  assert(text.isWellFormed(), "a reply is well-formed text");
  return text;
}
