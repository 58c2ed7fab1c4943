/**
 * Runs plans over the datasets of a folder with DuckDB, inside this process. What goes wrong has one of two codes and no engine text,
 * which could carry values; the text goes to the custodian's own log. How long a query takes depends on the data: answers are released
 * on time slots elsewhere.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DuckDBInstance } from "@duckdb/node-api";
import type { Plan } from "../../data-sharing/plan/plan.ts";
import type { EngineLimits, ExactAnswer, PlanEngine } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { type CompiledPlan, compilePlan } from "./compile-plan.ts";
import { DataInstances } from "./data-instances.ts";
import { type DatasetRecord, readDataset } from "./dataset-files.ts";
import { storedColumns } from "./stored-columns.ts";

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
}

/** Open instances of which each keeps part of its file in memory. */
const idleInstancesMax = 4;

export class DuckDbEngine implements PlanEngine {
  readonly #options: Required<DuckDbEngineOptions>;
  readonly #instances = new DataInstances(idleInstancesMax);
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: DuckDbEngineOptions) {
    this.#options = { concurrency: 2, waitingMax: 1000, threads: 2, onFailure: () => {}, ...options };
  }

  async requireAvailable(dataset: string, _plan: Plan): Promise<void> {
    let record: DatasetRecord | undefined;
    try {
      record = readDataset(this.#options.folder, dataset);
    } catch (error) {
      this.#options.onFailure(error instanceof Error ? error.message : String(error));
    }
    if (record === undefined || !existsSync(this.#pathOf(record))) throw unavailable(dataset);
  }

  async execute(dataset: string, plan: Plan, limits: EngineLimits): Promise<ExactAnswer> {
    await this.#takeTurn();
    try {
      return await this.#execute(dataset, plan, limits);
    } catch (error) {
      throw this.#safe(error);
    } finally {
      this.#passTurn();
    }
  }

  /** Lets go of all files. Queries that run end first. */
  close(): void {
    this.#instances.dropOthers(() => false);
  }

  async #execute(dataset: string, plan: Plan, limits: EngineLimits): Promise<ExactAnswer> {
    const run = (record: DatasetRecord) => {
      const compiled = compilePlan(plan, storedColumns(record.manifest), record.manifest.rowsPerPerson);
      const { threads } = this.#options;
      const { memoryBytesMax } = limits;
      const settings = { path: this.#pathOf(record), memoryBytesMax, threads };
      return this.#instances.use(settings, (instance) => runWithin(instance, compiled, limits.timeMsMax));
    };
    const record = this.#record(dataset);
    try {
      return await run(record);
    } catch (error) {
      // The dataset may have been replaced between reading its record and opening its file.
      const now = this.#record(dataset);
      if (now.data === record.data || error instanceof TimeLimit) throw error;
      return await run(now);
    }
  }

  #record(dataset: string): DatasetRecord {
    const record = readDataset(this.#options.folder, dataset);
    if (record === undefined)
      throw new TrustedDataError("engine_failed", `There is no data for the dataset ${dataset} here.`, {
        dataset,
      });
    const prefix = this.#pathOf({ ...record, data: `${dataset}.` });
    const path = this.#pathOf(record);
    this.#instances.dropOthers((other) => other === path || !other.startsWith(prefix));
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
    if (error instanceof TrustedDataError) return error;
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.onFailure(detail);
    if (error instanceof TimeLimit || /^Out of Memory/i.test(detail)) return limitError();
    return new TrustedDataError("engine_failed", "The engine could not run the plan.");
  }
}

class TimeLimit extends Error {}

function unavailable(dataset: string): TrustedDataError {
  return new TrustedDataError(
    "dataset_unavailable",
    "The dataset cannot be read now; nothing was charged. Tell its custodian, and ask again later.",
    { dataset },
  );
}

function limitError(): TrustedDataError {
  return new TrustedDataError("engine_limit", "The plan reached a limit of the engine.");
}

async function runWithin(
  instance: DuckDBInstance,
  { sql, answerOf }: CompiledPlan,
  timeMsMax: number,
): Promise<ExactAnswer> {
  const connection = await instance.connect();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.interrupt();
  }, timeMsMax);
  try {
    const reader = await connection.runAndReadAll(sql);
    return answerOf(reader.getRows() as bigint[][]);
  } catch (error) {
    throw late ? new TimeLimit("the time limit was reached") : error;
  } finally {
    clearTimeout(timer);
    connection.closeSync();
  }
}
