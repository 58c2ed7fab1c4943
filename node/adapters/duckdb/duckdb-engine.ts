/**
 * Runs plans over the datasets of a folder with DuckDB, inside this process. What goes wrong has one of two codes and no engine text,
 * which could carry values; the text goes to the custodian's own log. How long a query takes depends on the data: answers are released
 * on time slots elsewhere.
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { needsConsent } from "../../data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../data-sharing/plan/plan.ts";
import type { EngineLimits, ExactAnswer, PeopleFilter, PlanEngine } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { failedError, limitError, noDataError, unavailableError } from "../engine-errors.ts";
import { misfitOf } from "../plan-fit.ts";
import { labelsOf, openTextCodes, type Texts } from "./answer-groups.ts";
import { compilePlan } from "./compile-plan.ts";
import type { CompiledPlan, PersonRange } from "./compiled-plan.ts";
import { ConsentCopies } from "./consent-copies.ts";
import { DataInstances } from "./data-instances.ts";
import { type DatasetRecord, DatasetRecords } from "./dataset-records.ts";
import { storedTables } from "./stored-columns.ts";
import { WholeFiles } from "./whole-files.ts";

export interface DuckDbEngineOptions {
  /** Of the dataset store. */
  folder: string;
  /** Queries at a time; others wait. Together they may hold so many times the memory limit. */
  concurrency?: number;
  /** Queries that may wait; more are refused with `engine_limit`. */
  waitingMax?: number;
  /** Threads of one query. */
  threads?: number;
  /** Told what the engine said, for the custodian's log only. */
  onFailure?: (detail: string) => void;
  /** Told why a dataset is not available, for the custodian's log only. */
  onUnavailable?: (dataset: string, reason: string) => void;
}

/** Open instances of which each keeps part of its file in memory. */
const idleInstancesMax = 4;
/** Rows that are found before they are walked through. */
const rowsAtOnce = 1 << 19;
/** Chunks, of 2048 rows, between which others get their turn: about a millisecond. */
const chunksAtOnce = 16;

export class DuckDbEngine implements PlanEngine {
  readonly #options: Required<DuckDbEngineOptions>;
  readonly #records: DatasetRecords;
  readonly #files = new WholeFiles();
  readonly #instances = new DataInstances(idleInstancesMax);
  readonly #copies: ConsentCopies;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: DuckDbEngineOptions) {
    this.#options = {
      ...{ concurrency: 2, waitingMax: 1000, threads: 2, onFailure: () => {}, onUnavailable: () => {} },
      ...options,
    };
    this.#records = new DatasetRecords(options.folder);
    this.#copies = new ConsentCopies(options.folder, idleInstancesMax);
  }

  async requireAvailable(dataset: string, plan: Plan): Promise<void> {
    try {
      const { manifest } = await this.#whole(dataset);
      const misfit = misfitOf(plan, manifest);
      if (misfit === undefined) return;
      this.#options.onUnavailable(dataset, `The plan was made for other data: ${misfit}.`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onUnavailable(dataset, reason);
    }
    throw unavailableError(dataset);
  }

  async execute(
    dataset: string,
    plan: Plan,
    limits: EngineLimits,
    people?: PeopleFilter,
  ): Promise<ExactAnswer> {
    await this.#takeTurn();
    try {
      return await this.#execute(dataset, plan, limits, people);
    } catch (error) {
      throw this.#safe(error);
    } finally {
      this.#passTurn();
    }
  }

  /** Lets go of all files. Queries that run end first. */
  close(): void {
    this.#instances.dropOthers(() => false);
    this.#copies.dropOthers(() => false);
  }

  async #execute(
    dataset: string,
    plan: Plan,
    limits: EngineLimits,
    people: PeopleFilter | undefined,
  ): Promise<ExactAnswer> {
    const run = (record: DatasetRecord) => {
      if (needsConsent(record.manifest) !== (people !== undefined))
        throw new TrustedDataError(
          "engine_failed",
          "Who takes part is said where it is needed, and only there.",
        );
      const compiled = compilePlan(plan, storedTables(record.manifest));
      const { threads } = this.#options;
      const { memoryBytesMax } = limits;
      const settings = { path: this.#pathOf(record), memoryBytesMax, threads };
      const { timeMsMax } = limits;
      if (people === undefined) {
        return this.#instances.use(settings, (instance) =>
          runWithin(instance, [], plan, compiled, timeMsMax),
        );
      }
      return this.#copies.use(settings, people, (instance, views) =>
        runWithin(instance, views, plan, compiled, timeMsMax),
      );
    };
    const record = await this.#whole(dataset);
    try {
      return await run(record);
    } catch (error) {
      // The dataset may have been replaced between reading its record and opening its file.
      const now = await this.#whole(dataset);
      if (now.data === record.data || error instanceof TimeLimit) throw error;
      return await run(now);
    }
  }

  /** The record of a dataset whose data is there as it was imported. */
  async #whole(dataset: string): Promise<DatasetRecord> {
    const record = this.#record(dataset);
    try {
      await this.#files.require(this.#pathOf(record), record);
      return record;
    } catch (error) {
      const now = this.#record(dataset);
      if (now.data === record.data) throw error;
      await this.#files.require(this.#pathOf(now), now);
      return now;
    }
  }

  #record(dataset: string): DatasetRecord {
    const record = this.#records.one(dataset);
    if (record === undefined) throw noDataError(dataset);
    const prefix = this.#pathOf({ ...record, data: `${dataset}.` });
    const path = this.#pathOf(record);
    const isCurrent = (other: string) => other === path || !other.startsWith(prefix);
    this.#instances.dropOthers(isCurrent);
    this.#copies.dropOthers(isCurrent);
    this.#files.dropOthers(isCurrent);
    return record;
  }

  #pathOf(record: DatasetRecord): string {
    return join(this.#options.folder, record.data);
  }

  async #takeTurn(): Promise<void> {
    if (this.#running < this.#options.concurrency) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.#options.waitingMax) throw limitError();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A turn goes to the next who waits, so that nobody overtakes. */
  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #safe(error: unknown): TrustedDataError {
    if (error instanceof TrustedDataError && error.code.startsWith("engine_")) return error;
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.onFailure(detail);
    if (error instanceof TimeLimit || /^Out of Memory/i.test(detail)) return limitError();
    return failedError();
  }
}

class TimeLimit extends Error {}

async function runWithin(
  instance: DuckDBInstance,
  /** By which the connection sees those alone who take part. */
  views: readonly string[],
  plan: Plan,
  compiled: CompiledPlan,
  timeMsMax: number,
): Promise<ExactAnswer> {
  const connection = await instance.connect();
  const timer = { isLate: false };
  const timeout = setTimeout(() => {
    timer.isLate = true;
    connection.interrupt();
  }, timeMsMax);
  try {
    for (const view of views) await connection.run(view);
    const [seed, people, rows] = await oneRow(connection, "SELECT seed, people, row_count FROM built_");
    const reader = compiled.reader(seed!);
    for (const piece of piecesOf(compiled, Number(people), Number(rows))) {
      const found = await connection.run(compiled.sql(piece));
      for (let at = 0; at < found.chunkCount; at++) {
        if (timer.isLate) throw new TimeLimit("the time limit was reached");
        reader.take(found.getChunk(at));
        if (at % chunksAtOnce === chunksAtOnce - 1) await setImmediate();
      }
    }
    const { groups, vectors } = reader.answer();
    if (groups === null) return { groups, vectors };
    const texts = await textsOf(connection, openTextCodes(plan.keys, groups));
    return { groups: labelsOf(plan.keys, groups, texts), vectors };
  } catch (error) {
    throw timer.isLate ? new TimeLimit("the time limit was reached") : error;
  } finally {
    clearTimeout(timeout);
    connection.closeSync();
  }
}

/** So many people at a time that their rows fit into little memory; they lie side by side, so that nothing is read twice. */
function* piecesOf({ inPieces }: CompiledPlan, people: number, rows: number): Generator<PersonRange> {
  const pieces = inPieces ? Math.max(1, Math.ceil(rows / rowsAtOnce)) : 1;
  const size = Math.max(1, Math.ceil(people / pieces));
  for (let first = 1; first <= people; first += size)
    yield { first, last: Math.min(people, first + size - 1) };
}

async function oneRow(connection: DuckDBConnection, sql: string): Promise<bigint[]> {
  return (await connection.runAndReadAll(sql)).getRows()[0] as bigint[];
}

async function textsOf(connection: DuckDBConnection, codes: readonly bigint[]): Promise<Texts> {
  if (codes.length === 0) return new Map();
  const sql = `SELECT code, value FROM texts_ WHERE code IN (${codes.join(", ")})`;
  const found = await connection.runAndReadAll(sql);
  return new Map(found.getRows() as [bigint, string][]);
}
