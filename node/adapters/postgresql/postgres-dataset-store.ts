/**
 * The datasets of one custodian that lie in PostgreSQL. Connecting one looks at server, role, tables and values and writes a record; rows
 * stay where they are, and are read anew at each question.
 */
import type { EnrolmentCheck } from "../../data-sharing/consent/ports.ts";
import {
  type DatasetManifest,
  needsConsent,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore, ImportProgress, ImportReport, Randomness } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import type { OnDamaged } from "../duckdb/dataset-records.ts";
import { unknownDataset } from "../engine-errors.ts";
import type { ManifestProposal } from "../proposal.ts";
import { countValues } from "./count-values.ts";
import { type DatabaseSource, describeAddress, parseDatabaseUrl } from "./database-address.ts";
import { DatabaseConnections, type Session, TimeLimit, whyRefused } from "./database-connections.ts";
import { DatabaseRecords } from "./database-records.ts";
import { type DatasetSources, datasetSources, peopleSql } from "./dataset-tables.ts";
import { sourcesOf } from "./postgres-engine.ts";
import { proposeFromTable } from "./propose-from-table.ts";
import { requireSafe } from "./role-check.ts";
import { readServerFacts, readTableFacts, type TableFacts, type TableName } from "./table-facts.ts";

export interface PostgresStoreOptions {
  /** Of the records; created with the first one. */
  folder: string;
  randomness: Randomness;
  /** For looking at all values, once. */
  connectMsMax?: number;
  onDamaged?: OnDamaged;
}

const connectMemoryBytes = 512 << 20;

export class PostgresDatasetStore implements DatasetStore, EnrolmentCheck {
  readonly #options: PostgresStoreOptions;
  readonly #records: DatabaseRecords;

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    this.#records = new DatabaseRecords(options.folder, options.onDamaged);
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  /** Damaged ones are left out. */
  manifests(): DatasetManifest[] {
    return this.#records.all().map(({ manifest }) => manifest);
  }

  /**
   * @param file The address of the database (`parseDatabaseUrl`), which says where further tables are, too.
   * @throws TrustedDataError `database_*`; then nothing has changed.
   */
  async importFile(
    file: string,
    manifest: DatasetManifest,
    onProgress: (progress: ImportProgress) => void = () => {},
    furtherFiles: Readonly<Record<string, string>> = {},
  ): Promise<ImportReport> {
    const source = parseDatabaseUrl(file);
    if (Object.keys(furtherFiles).length > 0)
      throw addressError("further tables are named in it (table.NAME=SCHEMA.TABLE), not as files");
    const tables = tableNames(source, manifest);
    onProgress({ bytesRead: 0, bytesTotal: 1 });
    const report = await this.#look(source, async (session) => {
      const sources = await safeSources(source, tables, manifest, session);
      return await countValues(sources, manifest.person, session);
    });
    this.#records.save({
      address: source.address,
      tables,
      bounded: source.bounded,
      secret: this.#secretFor(manifest.name),
      manifest,
    });
    onProgress({ bytesRead: 1, bytesTotal: 1 });
    return report;
  }

  /** Goes through all people of the tables, as rows are live. */
  async countPeopleMissing(dataset: string, people: ReadonlySet<string>): Promise<number> {
    const record = this.#records.one(dataset);
    if (record === undefined || !needsConsent(record.manifest)) throw unknownDataset(dataset);
    return await this.#look(record, async (session) => {
      const rows = await session.rows(peopleSql(await sourcesOf(record, session)));
      const missing = new Set(people);
      for (const [person] of rows) missing.delete(person!);
      return missing.size;
    });
  }

  /** @throws TrustedDataError `database_*` */
  async propose(url: string, person: string): Promise<ManifestProposal> {
    const source = parseDatabaseUrl(url);
    return await this.#look(source, async (session) => {
      const facts = await safeFacts(source, [source.table], session);
      return await proposeFromTable(source.table, facts[0]!, person, session);
    });
  }

  async #look<T>(
    { address }: Pick<DatabaseSource, "address">,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const connections = new DatabaseConnections(1);
    const limits = { timeMsMax: this.#options.connectMsMax ?? 3_600_000, memoryBytesMax: connectMemoryBytes };
    try {
      return await connections.inSnapshot(address, limits, work);
    } catch (error) {
      if (error instanceof TrustedDataError) throw error;
      const reason = error instanceof TimeLimit ? "it takes too long" : whyRefused(error as Error);
      throw new TrustedDataError(
        "database_unreachable",
        `${describeAddress(address)} cannot be read as ${address.user}: ${reason}.`.replace(/^t/, "T"),
        { host: address.host, port: String(address.port) },
      );
    } finally {
      await connections.close();
    }
  }

  /** Connected again, the same rows of a person go on to be the ones that take part. */
  #secretFor(name: string): string {
    try {
      const known = this.#records.one(name);
      if (known !== undefined) return known.secret;
    } catch {
      // A damaged record is replaced whole.
    }
    return Buffer.from(this.#options.randomness.bytes(32)).toString("hex");
  }
}

function tableNames(
  { table, furtherTables, bounded }: DatabaseSource,
  manifest: DatasetManifest,
): Record<string, TableName> {
  const further = Object.keys(manifest.furtherTables);
  const given = Object.keys(furtherTables);
  const wrong =
    further.find((name) => !given.includes(name)) ?? given.find((name) => !further.includes(name));
  if (wrong !== undefined)
    throw addressError(
      `the manifest's further tables are ${further.join(", ") || "none"} and the address says where ${given.join(", ") || "none"} is (table.NAME=SCHEMA.TABLE for each)`,
    );
  const names = { [manifest.table]: table, ...furtherTables };
  const unknown = bounded.find((name) => !Object.hasOwn(names, name));
  if (unknown !== undefined) throw addressError("bounded names tables of the manifest");
  return names;
}

function addressError(reason: string): TrustedDataError {
  return new TrustedDataError(
    "database_address_invalid",
    `The address of the database is not usable: ${reason}.`,
    { reason },
  );
}

async function safeSources(
  source: DatabaseSource,
  tables: Record<string, TableName>,
  manifest: DatasetManifest,
  session: Session,
): Promise<DatasetSources> {
  const names = [...tablesOf(manifest).keys()].map((name) => tables[name]!);
  return datasetSources(manifest, tables, await safeFacts(source, names, session));
}

async function safeFacts(
  { address }: DatabaseSource,
  names: readonly TableName[],
  { client }: Session,
): Promise<(TableFacts | undefined)[]> {
  const [server, facts] = [await readServerFacts(client), await readTableFacts(client, names)];
  requireSafe(
    address,
    server,
    names.map((name, at) => ({ name, facts: facts[at] })),
  );
  return facts;
}
