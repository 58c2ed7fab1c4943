/**
 * What consent costs where the data stays in PostgreSQL: a million people with a row each, of whom 90% consent, known by integers, texts or
 * UUIDs. CPU time of server and client together, beside the same question over the same table where no consent is needed. Who takes part is
 * told at once here: what the index of consents takes for it is in consent.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresDatasetStore } from "../../../node/adapters/postgresql/postgres-dataset-store.ts";
import { PostgresEngine } from "../../../node/adapters/postgresql/postgres-engine.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import { personHash, personHashBytes } from "../../../node/data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../../node/data-sharing/ports.ts";
import { database, type PostgresServer, startPostgres } from "../../support/postgresql-server.ts";
import { cpuMsOf, medianOf } from "../cpu.ts";
import { limits, manifestFor, planFor, reader } from "../postgresql-rows.ts";
import { serverCpuMs } from "../server-cpu.ts";

const [people, rounds] = [1_000_000, 5];
const secret = new Uint8Array(32);

export async function benchConsentPostgresql(): Promise<Record<string, number>> {
  // Room for the table, so that it is not read from files.
  const server = await startPostgres({
    settings: ["max_parallel_workers_per_gather = 0", "jit = off", "shared_buffers = 512MB"],
  });
  const folder = mkdtempSync(join(tmpdir(), "itd-bench-"));
  try {
    await server.sql(`CREATE ROLE ${reader} LOGIN`);
    const figures: Record<string, number> = {};
    for (const type of ["integer", "text", "uuid"])
      Object.assign(figures, await measure(server, join(folder, "postgresql"), type));
    return figures;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  server: PostgresServer,
  folder: string,
  type: string,
): Promise<Record<string, number>> {
  const table = `by_${type}`;
  const person = type === "integer" ? "n" : `CAST(md5(CAST(n AS text)) AS ${type})`;
  await server.sql(
    `CREATE TABLE ${table} (person ${type} PRIMARY KEY, key text NOT NULL, value numeric(9, 2) NOT NULL, age integer NOT NULL);
     INSERT INTO ${table} SELECT ${person}, 'k' || n * 7919 % 10, n * 31 % 100000 / 100.0, n * 17 % 100 FROM generate_series(CAST(1 AS bigint), ${people}) AS n;
     GRANT SELECT ON ${table} TO ${reader}`,
  );
  await server.sql(`VACUUM ANALYZE ${table}`);
  const url = `postgres://${reader}@127.0.0.1:${server.port}/${database}?table=${table}`;
  const store = new PostgresDatasetStore({ folder, randomness: new SystemRandomness() });
  await store.importFile(url, manifestFor({ name: "plain", table, rowsPerPerson: 1 }));
  await store.importFile(
    url,
    manifestFor({ name: "consented", table, rowsPerPerson: 1, consent: "required" }),
  );
  const { filter, change } = await consents(server, table);
  const engine = new PostgresEngine({ folder, personSecret: async () => secret });
  const cpuMs = async (work: () => Promise<unknown>) => {
    const from = serverCpuMs(server.pid);
    const ownMs = await cpuMsOf(work);
    return serverCpuMs(server.pid) - from + ownMs;
  };
  const plan = planFor(table, 1);
  const plain = () => engine.execute("plain", plan, limits);
  const asked = () => engine.execute("consented", plan, limits, filter);
  const plainTimesMs: number[] = [];
  /** Of the question beside the plain one, in rounds in which both take turns: others use the machine, too. */
  const ratio = async (before: () => unknown = () => {}) => {
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const plainMs = await cpuMs(plain);
      plainTimesMs.push(plainMs);
      await before();
      ratios.push((await cpuMs(asked)) / plainMs);
    }
    return medianOf(ratios);
  };
  await plain();
  const firstCpuMs = await cpuMs(asked);
  const warm = await ratio();
  const afterChanges = await ratio(() => change(1_000));
  const afterWrite = await ratio(() =>
    server.sql(`UPDATE ${table} SET age = age WHERE ctid = (SELECT min(ctid) FROM ${table})`),
  );
  await engine.close();
  const of = `consentPostgresql${type[0]!.toUpperCase()}${type.slice(1)}`;
  return {
    [`${of}PlainCpuMs`]: medianOf(plainTimesMs),
    [`${of}FirstCpuMs`]: firstCpuMs,
    [`${of}CpuRatio`]: warm,
    [`${of}AfterThousandChangesCpuRatio`]: afterChanges,
    [`${of}AfterWriteCpuRatio`]: afterWrite,
  };
}

/** Enrolled in another order than the table's. */
async function consents(server: PostgresServer, table: string) {
  const rows = await server.sql(
    `SELECT CAST(person AS text) AS person FROM ${table} ORDER BY md5(CAST(person AS text))`,
  );
  const hashes = new Uint8Array(people * personHashBytes);
  const bits = new Uint8Array(people >> 3);
  for (const [at, { person }] of rows.entries()) {
    hashes.set(personHash(secret, "consented", String(person)), at * personHashBytes);
    if (at % 10 !== 0) bits[at >> 3]! |= 1 << (at & 7);
  }
  const filter: PeopleFilter = {
    purpose: "dpv:ResearchAndDevelopment",
    hashes: () => hashes,
    takingPart: () => Uint8Array.from(bits),
  };
  let changed = 0;
  const change = (count: number) => {
    for (let i = 0; i < count; i++) {
      const at = (++changed * 7_919) % people;
      bits[at >> 3]! ^= 1 << (at & 7);
    }
  };
  return { filter, change };
}
