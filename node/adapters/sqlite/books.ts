/**
 * What was spent of each dataset's budget: one row a charge, running sums beside them, and the ceilings that the newest anchored batch
 * allows. All writes are part of the caller's transaction.
 */
import type { BudgetLine } from "../../ledger/budget-line.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import { microRhoMax } from "./schema.ts";
import type { StateDatabase } from "./state-database.ts";

export interface Charge {
  /** Its number in the state file. */
  question: number;
  dataset: Hex;
  querier: Hex;
  purpose: string;
  microRho: bigint;
}

export class Books {
  readonly #database: StateDatabase;

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  spent(dataset: Hex): bigint {
    return (
      this.#database.bigint("SELECT micro_rho AS value FROM dataset_sums WHERE dataset = ?", dataset) ?? 0n
    );
  }

  spentBy(dataset: Hex, querier: Hex, purpose: string): bigint {
    const sql =
      "SELECT micro_rho AS value FROM querier_sums WHERE dataset = ? AND querier = ? AND purpose = ?";
    return this.#database.bigint(sql, dataset, querier, purpose) ?? 0n;
  }

  /** What the question was charged, undefined if it was not. */
  chargeOf(question: number): bigint | undefined {
    return this.#database.bigint("SELECT micro_rho AS value FROM charges WHERE question = ?", question);
  }

  ceiling(dataset: Hex): bigint {
    return this.#database.bigint("SELECT micro_rho AS value FROM ceilings WHERE dataset = ?", dataset) ?? 0n;
  }

  charge({ question, dataset, querier, purpose, microRho }: Charge): void {
    const insert =
      "INSERT INTO charges (question, dataset, querier, purpose, micro_rho) VALUES (?, ?, ?, ?, ?)";
    this.#database.run(insert, question, dataset, querier, purpose, microRho);
    this.#addToDataset(dataset, microRho);
    const add = `INSERT INTO querier_sums (dataset, querier, purpose, micro_rho) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET micro_rho = micro_rho + excluded.micro_rho`;
    this.#database.run(add, dataset, querier, purpose, microRho);
  }

  /** Never lowers what was spent. */
  raiseTo(dataset: Hex, microRho: bigint): void {
    const missing = bounded(microRho) - this.spent(dataset);
    if (missing <= 0n) return;
    this.#database.run("INSERT INTO charges (dataset, micro_rho) VALUES (?, ?)", dataset, missing);
    this.#addToDataset(dataset, missing);
  }

  /** Counts as spent whatever was allowed. */
  raiseToCeilings(): void {
    for (const { dataset } of this.#database.all<{ dataset: Hex }>("SELECT dataset FROM ceilings")) {
      this.raiseTo(dataset, this.ceiling(dataset));
    }
  }

  /** Counts charges whose question has no reply yet, and could still get one, once more. */
  coverUnanswered(sinceMs: number): void {
    const sql = `SELECT charges.dataset AS dataset, SUM(micro_rho) AS "microRho" FROM charges
      JOIN questions ON questions.number = charges.question LEFT JOIN replies ON replies.question = charges.question
      WHERE replies.question IS NULL AND token_expires_ms >= ? GROUP BY charges.dataset`;
    for (const { dataset, microRho } of this.#database.all<{ dataset: Hex; microRho: bigint }>(
      sql,
      sinceMs,
    )) {
      this.raiseTo(dataset, this.spent(dataset) + BigInt(microRho));
    }
  }

  /** Datasets of which something was spent or may be. */
  datasets(): Hex[] {
    const sql = "SELECT dataset FROM dataset_sums UNION SELECT dataset FROM ceilings ORDER BY dataset";
    return this.#database.all<{ dataset: Hex }>(sql).map(({ dataset }) => dataset);
  }

  /** A dataset without a line may spend nothing. */
  replaceCeilings(lines: readonly BudgetLine[]): void {
    this.#database.run("DELETE FROM ceilings");
    for (const { dataset, spent, reserved } of lines) {
      if (spent + reserved === 0n) continue;
      const insert = "INSERT INTO ceilings (dataset, micro_rho) VALUES (?, ?)";
      this.#database.run(insert, dataset, bounded(spent + reserved));
    }
  }

  /** Whether the sums are those of the rows. */
  balance(): boolean {
    const wrong = this.#database.get(`
      SELECT 1 AS wrong FROM (
        SELECT dataset, NULL AS querier, NULL AS purpose, SUM(micro_rho) AS micro_rho FROM charges GROUP BY dataset
        UNION ALL SELECT dataset, querier, purpose, SUM(micro_rho) FROM charges WHERE question IS NOT NULL
          GROUP BY dataset, querier, purpose
        EXCEPT
        SELECT * FROM (
          SELECT dataset, NULL AS querier, NULL AS purpose, micro_rho FROM dataset_sums
          UNION ALL SELECT dataset, querier, purpose, micro_rho FROM querier_sums)
      ) LIMIT 1`);
    return wrong === undefined;
  }

  #addToDataset(dataset: Hex, microRho: bigint): void {
    const add = `INSERT INTO dataset_sums (dataset, micro_rho) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET micro_rho = micro_rho + excluded.micro_rho`;
    this.#database.run(add, dataset, microRho);
  }
}

/** Lines come from the chain and may hold up to 2^64 - 1; past the bound everything counts as spent. */
function bounded(microRho: bigint): bigint {
  assert(microRho >= 0n, "micro-rho is not negative");
  return microRho < microRhoMax ? microRho : microRhoMax;
}
