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
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../../node/data-sharing/plan/plan.ts";
import type { Enrolment } from "../../../node/data-sharing/ports.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { column, declared, manifestOf, planOf, rowCount, sumOf } from "../../ports/data-files.ts";
import { cpuMsOf } from "../cpu.ts";

const [people, rowsOfPerson, keys, rounds] = [1_000_000, 10, 10, 7];
const names = Array.from({ length: keys }, (_, at) => `k${at}`);
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
  const plainImportCpuMs = await cpuMsOf(() => store.importFile(parquet, manifestFor("plain")));
  const consentImportCpuMs = await cpuMsOf(() => store.importFile(parquet, manifestFor("consented")));

  const enrolments = openEnrolmentFile(join(folder, "enrolments.sqlite"), randomness);
  const secret = await openPersonSecret(datasets, randomness);
  const enrolCpuMs = await cpuMsOf(() => enrolments.enrol("consented", everybody(secret)));
  const bindings = [...enrolments.enrolmentsSince("consented", 0)];
  const database = openStateDatabase(join(folder, "state.sqlite"));
  saveConsents(database, bindings);

  const consents = new SqliteConsentStore(database);
  const index = new ConsentedPeople({ clock: systemClock, enrolments, consents, datasetIdOf });
  const filter = index.filter("consented", research);
  const engine = new DuckDbEngine({ folder: datasets });
  const limits = { timeMsMax: 60_000, memoryBytesMax: 1 << 30 };
  const ask = async () => await engine.execute("consented", plan, limits, filter);
  const indexCpuMs = await cpuMsOf(() => filter.takingPart());
  const takingPartCpuMs = await medianCpuMs(async () => filter.takingPart());
  const coldCpuMs = indexCpuMs + (await cpuMsOf(ask));
  const plainCpuMs = await medianCpuMs(() => engine.execute("plain", plan, limits));
  const warmCpuMs = await medianCpuMs(ask);
  let round = 0;
  const changed = (count: number) => async () => {
    for (let i = 0; i < count; i++) {
      const { number, binding } = bindings[(++round * 7_919) % people]!;
      const state = round % 2 === 0 ? "withdrawn" : "given";
      index.note("consented", { person: number, binding, state, purposes: [research], expiresS: null });
    }
    await ask();
  };
  const afterOneCpuMs = await medianCpuMs(changed(1));
  const afterThousandCpuMs = await medianCpuMs(changed(1_000));
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

/** The first round, which opens and warms, is left out. */
async function medianCpuMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  await work();
  for (let round = 0; round < rounds; round++) times.push(await cpuMsOf(work));
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

async function makeRows(parquet: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "1GiB" });
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT range % ${people} AS person, 'k' || hash(range) % ${keys} AS key,
       CAST(hash(range, 1) % 1000 AS INTEGER) AS value, CAST(hash(range % ${people}, 2) % 100 AS INTEGER) AS age
     FROM range(${people * rowsOfPerson})) TO '${parquet}' (FORMAT parquet)`,
  );
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

function manifestFor(name: string): DatasetManifest {
  return manifestOf({
    name,
    ...(name === "consented" && { consent: "required" as const }),
    rowsPerPerson: rowsOfPerson,
    columns: {
      key: { type: "text", domain: names, nullable: false },
      value: { type: "integer", bounds: [0, 999], nullable: false },
      age: { type: "integer", bounds: [0, 120], nullable: false },
    },
  });
}

const over = (name: string, value: number) =>
  ({
    kind: "compare",
    operator: "<",
    left: { kind: "constant", value: String(value) },
    right: column(name),
  }) as const;
const plan: Plan = planOf(
  [rowCount, { kind: "count", of: column("value") }, sumOf(column("value"), 0n, 999n, 500n)],
  {
    filter: { kind: "and", operands: [over("age", 29), over("value", 100)] },
    keys: [
      declared(
        column("key"),
        names.map((_, at) => String(at)),
        names,
      ),
    ],
    rowsPerPerson: rowsOfPerson - 1,
  },
);
