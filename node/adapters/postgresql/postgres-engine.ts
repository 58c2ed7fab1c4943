/**
 * Runs plans over datasets that lie in a custodian's PostgreSQL, on the live rows: one connection, one read-only snapshot for a question.
 * What goes wrong has one of two codes and no text of the engine, which could carry values; the text goes to the custodian's own log.
 *
 * What tables, types and constraints there are is looked up in the same snapshot, so the statements fit what they read. A table in which a
 * constraint keeps each person to one row is read as it is; of any other the rows of a person are counted off by a window function.
 */
import {
  type DatasetManifest,
  needsConsent,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../data-sharing/plan/plan.ts";
import type { EngineLimits, ExactAnswer, PeopleFilter, PlanEngine } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { failedError, limitError, noDataError, unavailableError } from "../engine-errors.ts";
import { misfitOf } from "../plan-fit.ts";
import { TooManyGroups } from "./answer-rows.ts";
import { describeAddress } from "./database-address.ts";
import { DatabaseConnections, type Session, TimeLimit, whyRefused } from "./database-connections.ts";
import { type DatabaseRecord, DatabaseRecords } from "./database-records.ts";
import { type DatasetSources, datasetSources } from "./dataset-tables.ts";
import { KnownPeople } from "./people-filter.ts";
import { runPlan } from "./run-plan.ts";
import { readTableFacts } from "./table-facts.ts";
import { Turns } from "./turns.ts";

export interface PostgresEngineOptions {
  /** Of the records. */
  folder: string;
  /** Questions at a time, and connections to one database; others wait. */
  concurrency?: number;
  /** Questions that may wait; more are refused with `engine_limit`. */
  waitingMax?: number;
  /** By which enrolled persons are known (consent/person-hash.ts); without it no dataset that needs consent is run. */
  personSecret?: () => Promise<Uint8Array>;
  /** Told what PostgreSQL said, for the custodian's log only. */
  onFailure?: (detail: string) => void;
  /** Told why a dataset is not available, for the custodian's log only. */
  onUnavailable?: (dataset: string, reason: string) => void;
}

/** Looking at the catalogue takes milliseconds where the server is well. */
const lookMsMax = 5_000;
const lookMemoryBytes = 16 << 20;

export class PostgresEngine implements PlanEngine {
  readonly #options: PostgresEngineOptions;
  readonly #records: DatabaseRecords;
  readonly #connections: DatabaseConnections;
  readonly #turns: Turns;
  /** By dataset and address. */
  readonly #people = new Map<string, KnownPeople>();

  constructor(options: PostgresEngineOptions) {
    this.#options = options;
    const concurrency = options.concurrency ?? 4;
    this.#records = new DatabaseRecords(options.folder);
    // One more, for questions that are not charged yet.
    this.#connections = new DatabaseConnections(concurrency + 1);
    this.#turns = new Turns(concurrency, options.waitingMax ?? 1000);
  }

  async requireAvailable(dataset: string, plan: Plan): Promise<void> {
    const reason = await this.#obstacleTo(dataset, plan);
    if (reason === undefined) return;
    this.#options.onUnavailable?.(dataset, reason);
    throw unavailableError(dataset);
  }

  async execute(
    dataset: string,
    plan: Plan,
    limits: EngineLimits,
    people?: PeopleFilter,
  ): Promise<ExactAnswer> {
    try {
      const done = await this.#turns.take(() => this.#execute(dataset, plan, limits, people));
      if (done === undefined) throw limitError();
      return done.value;
    } catch (error) {
      throw this.#safe(error);
    }
  }

  /** Questions that run end first. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #obstacleTo(dataset: string, plan: Plan): Promise<string | undefined> {
    try {
      const record = this.#record(dataset);
      const misfit = misfitOf(plan, record.manifest);
      if (misfit !== undefined) return `The plan was made for other data: ${misfit}.`;
      const limits = { timeMsMax: lookMsMax, memoryBytesMax: lookMemoryBytes };
      await this.#connections.inSnapshot(record.address, limits, (session) => sourcesOf(record, session));
      return undefined;
    } catch (error) {
      if (error instanceof TrustedDataError) return error.message;
      const { address } = this.#record(dataset);
      return `${describeAddress(address)} cannot be reached: ${whyRefused(error as Error)}`;
    }
  }

  async #execute(
    dataset: string,
    plan: Plan,
    limits: EngineLimits,
    people: PeopleFilter | undefined,
  ): Promise<ExactAnswer> {
    const record = this.#record(dataset);
    this.#requireFilter(record.manifest, people);
    const takingPart = people && (await this.#knownPeople(record)).prepare(people);
    return await this.#connections.inSnapshot(record.address, limits, async (session) => {
      const sources = await sourcesOf(record, session);
      const filter = await takingPart?.(sources, session);
      return await runPlan(plan, { record, sources, session, filter });
    });
  }

  async #knownPeople({ address, manifest }: DatabaseRecord): Promise<KnownPeople> {
    const key = JSON.stringify([manifest.name, address]);
    const known = this.#people.get(key);
    if (known !== undefined) return known;
    const { personSecret } = this.#options;
    assert(personSecret !== undefined, "a node that asks for consent has the secret of enrolled persons");
    const created = new KnownPeople(manifest.name, await personSecret());
    this.#people.set(key, created);
    return created;
  }

  #record(dataset: string): DatabaseRecord {
    const record = this.#records.one(dataset);
    if (record !== undefined) return record;
    throw noDataError(dataset);
  }

  #requireFilter(manifest: DatasetManifest, people: PeopleFilter | undefined): void {
    if (needsConsent(manifest) === (people !== undefined)) return;
    throw new TrustedDataError(
      "engine_failed",
      "The dataset needs consent and nobody says who gave it, or the other way round.",
    );
  }

  #safe(error: unknown): TrustedDataError {
    if (error instanceof TrustedDataError && error.code === "engine_limit") return error;
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.onFailure?.(detail);
    const isLimit =
      error instanceof TimeLimit || error instanceof TooManyGroups || limitStates.has(stateOf(error));
    return isLimit ? limitError() : failedError();
  }
}

/** SQLSTATE: insufficient resources (memory, disk) and a configured limit. */
const limitStates = new Set(["53000", "53100", "53200", "53400"]);

function stateOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}

export async function sourcesOf(record: DatabaseRecord, { client }: Session): Promise<DatasetSources> {
  const names = [...tablesOf(record.manifest).keys()].map((name) => record.tables[name]!);
  return datasetSources(record.manifest, record.tables, await readTableFacts(client, names));
}
