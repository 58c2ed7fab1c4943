/**
 * What consent costs a question over 10 million rows of a million people, of whom nine in ten consent: the engine's whole path, with who takes
 * part from the daemon's own index over its stores, against the same plan over a dataset that needs no consent. Warm, after one person, and
 * after a thousand have changed their mind since the last question; cold is the first question after a start.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { openDatasetStore } from "../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { DuckDbEngine } from "../../../node/adapters/duckdb/duckdb-engine.ts";
import { openPersonSecret } from "../../../node/adapters/keys/person-secret.ts";
import { openEnrolmentFile } from "../../../node/adapters/sqlite/enrolment-file.ts";
import { SqliteConsentStore } from "../../../node/adapters/sqlite/sqlite-consent-store.ts";
import { openStateDatabase, type StateDatabase } from "../../../node/adapters/sqlite/state-database.ts";
import { systemClock } from "../../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import { ConsentedPeople } from "../../../node/data-sharing/consent/consented-people.ts";
import { personHash } from "../../../node/data-sharing/consent/person-hash.ts";
import type { Enrolment } from "../../../node/data-sharing/consent/ports.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { column, planOf, rowCount } from "../../ports/data-files.ts";
import { cpuMsOf, medianCpuMs } from "../cpu.ts";
import { averages, byKey, filter, manifestFor, rowsSql } from "../engine-rows.ts";

const [people, rowsOfPerson, rounds] = [1_000_000, 10, 7];
const plain = { name: "plain", rowsPerPerson: rowsOfPerson };
const consented = { name: "consented", rowsPerPerson: rowsOfPerson, consent: "required" } as const;
const research = "dpv:ResearchAndDevelopment";
const datasetIdOf = (name: string) => sha256Hex(name);

export async function benchConsent(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "itd-bench-"));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<Record<string, number>> {
  const [parquet, datasets] = [join(folder, "rows.parquet"), join(folder, "datasets")];
  await makeRows(parquet);
  const randomness = new SystemRandomness();
  const store = openDatasetStore({ folder: datasets, randomness });
  const plainImportCpuMs = await cpuMsOf(() => store.importFile(parquet, manifestFor(plain)));
  const consentImportCpuMs = await cpuMsOf(() => store.importFile(parquet, manifestFor(consented)));

  const enrolments = openEnrolmentFile(join(folder, "enrolments.sqlite"), randomness);
  const secret = await openPersonSecret(datasets, randomness);
  const enrolCpuMs = await cpuMsOf(() => enrolments.enrol("consented", everybody(secret)));
  const bindings = [...enrolments.enrolmentsSince("consented", 0)];
  const database = openStateDatabase(join(folder, "state.sqlite"));
  saveConsents(database, bindings);

  const consents = new SqliteConsentStore(database);
  const index = new ConsentedPeople({ clock: systemClock, enrolments, consents, datasetIdOf });
  const takingPart = index.filter("consented", research);
  const engine = new DuckDbEngine({ folder: datasets });
  const limits = { timeMsMax: 60_000, memoryBytesMax: 1 << 30 };
  const ask = async () => await engine.execute("consented", plan, limits, takingPart);
  const indexCpuMs = await cpuMsOf(() => takingPart.takingPart());
  const takingPartCpuMs = await medianCpuMs(() => takingPart.takingPart(), rounds);
  const coldCpuMs = indexCpuMs + (await cpuMsOf(ask));
  const plainCpuMs = await medianCpuMs(() => engine.execute("plain", plan, limits), rounds);
  const warmCpuMs = await medianCpuMs(ask, rounds);
  let round = 0;
  const changed = (count: number) => async () => {
    for (let i = 0; i < count; i++) {
      const { number, binding } = bindings[(++round * 7_919) % people]!;
      const state = round % 2 === 0 ? "withdrawn" : "given";
      index.note("consented", { person: number, binding, state, purposes: [research], expiresS: null });
    }
    await ask();
  };
  const afterOneCpuMs = await medianCpuMs(changed(1), rounds);
  const afterThousandCpuMs = await medianCpuMs(changed(1_000), rounds);
  engine.close();
  enrolments.close();
  database.close();
  return {
    consentEnrolCpuMs: enrolCpuMs,
    consentImportCpuRatio: consentImportCpuMs / plainImportCpuMs,
    consentTakingPartCpuMs: takingPartCpuMs,
    consentColdCpuMs: coldCpuMs,
    consentPlainCpuMs: plainCpuMs,
    consentWarmCpuMs: warmCpuMs,
    consentCpuRatio: warmCpuMs / plainCpuMs,
    consentAfterOneChangeCpuRatio: afterOneCpuMs / plainCpuMs,
    consentAfterThousandChangesCpuMs: afterThousandCpuMs,
  };
}

async function makeRows(parquet: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "1GiB" });
  const connection = await instance.connect();
  await connection.run(`COPY (${rowsSql(people * rowsOfPerson, people)}) TO '${parquet}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

function* everybody(secret: Uint8Array) {
  for (let i = 0; i < people; i++)
    yield {
      person: personHash(secret, "consented", String(i)),
      key: `0x${i.toString(16).padStart(40, "0")}`,
    };
}

/** What receipts of nine in ten people would say; the receipts themselves are not read by questions. */
function saveConsents(database: StateDatabase, bindings: readonly Enrolment[]): void {
  const insert = `INSERT INTO consents (dataset, principal, person, binding, state, purposes, expires_s, time_ms)
    VALUES (?, ?, ?, ?, 'given', ?, NULL, 1)`;
  database.transaction(() => {
    for (const { number, key, binding } of bindings)
      if (number % 10 !== 0) database.run(insert, datasetIdOf("consented"), key, number, binding, research);
  });
}

const plan = planOf([rowCount, { kind: "count", of: column("value") }, ...averages.slice(1)], {
  filter,
  keys: byKey,
  rowsPerPerson: rowsOfPerson - 1,
});
