/** Consent receipts (port ConsentStore) in the node's state file, beside the log in which they stand. */
import type { SignedConsent } from "../../data-sharing/consent/consent-receipt.ts";
import type { ConsentStatement, ConsentStore, TakenConsent } from "../../data-sharing/consent/ports.ts";
import type { Outcome } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import { consentHorizon } from "./consent-horizon.ts";
import { insertEntry } from "./sqlite-audit-store.ts";
import type { StateDatabase } from "./state-database.ts";

export class SqliteConsentStore implements ConsentStore {
  readonly #database: StateDatabase;

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  consent(record: Hex): { signed: SignedConsent; reply: string } | undefined {
    const row = this.#database.get<{ signed: string; reply: string }>(
      "SELECT signed, reply FROM consent_receipts WHERE record = ?",
      record,
    );
    return row && { signed: JSON.parse(row.signed), reply: row.reply };
  }

  newestTimeMs(dataset: Hex, principal: Hex): number | undefined {
    const sql = "SELECT max(time_ms) AS newest FROM consents WHERE dataset = ? AND principal = ?";
    return this.#database.get<{ newest: number | null }>(sql, dataset, principal)?.newest ?? undefined;
  }

  saveConsent({ signed, reply, ...statement }: TakenConsent, outcome: Outcome): void {
    const { record, dataset, principal, event } = signed.receipt;
    assert(reply.isWellFormed(), "a reply is well-formed text");
    this.#database.transaction(() => {
      if (this.consent(record) !== undefined) {
        throw new TrustedDataError(
          "consent_conflict",
          "Another receipt was given under this record; choose a new random one.",
          { record },
        );
      }
      const entry = insertEntry(this.#database, outcome);
      const sign = "UPDATE entries SET querier_signature = ? WHERE position = ?";
      assert(this.#database.run(sign, signed.entrySignature, entry) === 1, "the entry was made just now");
      const { person, binding, state, purposes, expiresS } = statement;
      const consent = this.#database.insert(
        `INSERT INTO consents (dataset, principal, person, binding, state, purposes, expires_s, time_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[dataset.id, principal, person, binding, state, purposes.join(" "), expiresS, event.timeMs],
      );
      const insert =
        "INSERT INTO consent_receipts (consent, record, entry, signed, reply) VALUES (?, ?, ?, ?, ?)";
      this.#database.run(insert, consent, record, entry, JSON.stringify(signed), reply);
    });
  }

  horizon(): number {
    return consentHorizon(this.#database);
  }

  *statements(dataset: Hex): Generator<ConsentStatement> {
    const sql = `SELECT person, binding, state, purposes, expires_s FROM consents
      WHERE dataset = ? AND (state = 'withdrawn' OR sequence > ?) ORDER BY sequence`;
    // Few lists of purposes, many people.
    const lists = new Map<string, readonly string[]>();
    for (const [person, binding, state, text, expiresS] of this.#database.each<StatementRow>(
      sql,
      dataset,
      this.horizon(),
    )) {
      let purposes = lists.get(text);
      if (purposes === undefined) {
        purposes = text.split(" ").filter(Boolean);
        lists.set(text, purposes);
      }
      yield { person, binding, state, purposes, expiresS };
    }
  }
}

type StatementRow = [
  person: number,
  binding: number,
  state: ConsentStatement["state"],
  purposes: string,
  expiresS: number | null,
];
