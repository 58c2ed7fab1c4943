/**
 * What operators watch, in Prometheus' text format. Nothing is kept per querier, and durations fall into fixed buckets: metrics must not
 * tell what the answers hide.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Block } from "../ledger/ports.ts";

/** What a repository has to tell, read when the metrics are. */
export interface RepositorySources {
  openEntries: () => number;
  batchesAnchored: () => number;
  /** Micro-rho spent, by dataset name. */
  budgetSpent: () => { dataset: string; microRho: bigint }[];
}

const bucketsSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Processor time and pauses to the microsecond would show what a single question costs, past reply slots and buckets. */
const fineGrained = /^(?:process_cpu_|nodejs_eventloop_lag_|nodejs_gc_)/;

export class Metrics {
  readonly #registry = new Registry();
  readonly #questions: Counter<"step" | "outcome" | "code">;
  readonly #requests: Histogram<"route" | "status">;

  constructor(chain: () => { head: Block; nowMs: number } | undefined) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    for (const { name } of this.#registry.getMetricsAsArray())
      if (fineGrained.test(name)) this.#registry.removeSingleMetric(name);
    this.#questions = new Counter({
      name: "itd_questions_total",
      help: "Questions by step (authorise, answer), outcome and error code.",
      labelNames: ["step", "outcome", "code"],
      registers,
    });
    this.#requests = new Histogram({
      name: "itd_request_seconds",
      help: "Duration of requests by route and class of status.",
      labelNames: ["route", "status"],
      buckets: bucketsSeconds,
      registers,
    });
    gauge("itd_chain_head", "Newest final block seen.", registers, (self) =>
      self.set(chain()?.head.number ?? Number.NaN),
    );
    gauge("itd_chain_head_age_seconds", "Age of the newest final block seen.", registers, (self) =>
      self.set(ageSeconds(chain())),
    );
  }

  watchRepository(sources: RepositorySources): void {
    const registers = [this.#registry];
    gauge("itd_batches_anchored", "Newest anchored batch of the log.", registers, (self) =>
      self.set(sources.batchesAnchored()),
    );
    gauge("itd_entries_open", "Log entries that are not in a batch yet.", registers, (self) =>
      self.set(sources.openEntries()),
    );
    new Gauge({
      name: "itd_budget_spent_micro_rho",
      help: "Privacy budget spent of a dataset.",
      labelNames: ["dataset"],
      registers,
      collect() {
        this.reset();
        for (const { dataset, microRho } of sources.budgetSpent()) this.set({ dataset }, Number(microRho));
      },
    });
  }

  observeRequest(route: string, status: number, seconds: number): void {
    this.#requests.observe({ route, status: `${Math.floor(status / 100)}xx` }, seconds);
  }

  countQuestion(step: "authorise" | "answer", outcome: string, code = ""): void {
    this.#questions.inc({ step, outcome, code });
  }

  get mediaType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }
}

function gauge(name: string, help: string, registers: Registry[], collect: (self: Gauge) => void): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      collect(this);
    },
  });
}

function ageSeconds(seen: { head: Block; nowMs: number } | undefined): number {
  return seen === undefined ? Number.NaN : Math.max(0, seen.nowMs / 1000 - seen.head.timestampS);
}
