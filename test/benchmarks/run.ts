// `npm run bench -- data-sharing [--json]`: runs a suite and prints each figure beside its target. CPU time and ratios, as machines differ.
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";

interface Suite {
  benches: (() => Promise<Record<string, number>>)[];
  /** At most (or at least) this much. */
  targets: Record<string, { atMost?: number; atLeast?: number }>;
}

const suites: Record<string, () => Promise<Suite>> = {
  "data-sharing": async () => {
    const { benchAuditLog } = await import("./data-sharing/audit-log.ts");
    const { benchAnchor } = await import("./data-sharing/anchor.ts");
    const { benchReceipt } = await import("./data-sharing/receipt.ts");
    const { benchPlanEngine } = await import("./data-sharing/plan-engine.ts");
    return {
      benches: [benchAuditLog, benchAnchor, benchReceipt, benchPlanEngine],
      targets: {
        durableAppendsPerSecond: { atLeast: 2_000 },
        gasOfBatchOf100000: { atMost: 60_000 },
        inclusionProofCpuMs: { atMost: 100 },
        verifyReceiptCpuMs: { atMost: 100 },
        cpuRatio: { atMost: 4 },
        peakMemoryBytes: { atMost: 3 * 1024 ** 3 },
      },
    };
  },
  "safe-answers": async () => {
    const { benchDiscreteGaussian } = await import("./safe-answers/discrete-gaussian.ts");
    const { benchCompilePlan } = await import("./safe-answers/compile-plan.ts");
    const { benchConsent } = await import("./safe-answers/consent.ts");
    const { benchConsentPostgresql } = await import("./safe-answers/consent-postgresql.ts");
    const { benchPostgresql } = await import("./safe-answers/postgresql.ts");
    const { benchEngineBounding } = await import("./safe-answers/engine-bounding.ts");
    return {
      benches: [
        benchDiscreteGaussian,
        benchCompilePlan,
        benchEngineBounding,
        benchConsent,
        benchConsentPostgresql,
        benchPostgresql,
      ],
      targets: {
        discreteGaussianDrawsPerSecond: { atLeast: 100_000 },
        compilePlanCpuMs: { atMost: 2 },
        engineOneRowCpuRatio: { atMost: 1.3 },
        enginePreBoundedCpuRatio: { atMost: 3 },
        engineFullBoundingCpuRatio: { atMost: 12 },
        consentCpuRatio: { atMost: 1.1 },
        consentAfterOneChangeCpuRatio: { atMost: 1.1 },
        consentPostgresqlIntegerCpuRatio: { atMost: 1.1 },
        consentPostgresqlIntegerAfterThousandChangesCpuRatio: { atMost: 1.3 },
        consentPostgresqlTextCpuRatio: { atMost: 1.3 },
        consentPostgresqlUuidCpuRatio: { atMost: 1.3 },
        postgresqlOneRowCpuRatio: { atMost: 1.5 },
        postgresqlCountedOffCpuRatio: { atMost: 1.5 },
      },
    };
  },
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean" } } });
const name = positionals[0] ?? "data-sharing";
const open = suites[name];
if (open === undefined) {
  console.error(`There is no benchmark "${name}"; there are: ${Object.keys(suites).join(", ")}.`);
  process.exit(2);
}
const { benches, targets } = await open();
const figures: Record<string, number> = {};
for (const bench of benches) {
  console.error(`running ${bench.name} ...`);
  for (const [figure, value] of Object.entries(await bench())) figures[figure] = Number(value.toPrecision(4));
}
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryBytes: totalmem(),
  node: process.version,
};
const met = Object.fromEntries(
  Object.entries(targets).map(([figure, { atMost = Number.POSITIVE_INFINITY, atLeast = 0 }]) => {
    const value = figures[figure];
    return [figure, value !== undefined && value <= atMost && value >= atLeast];
  }),
);
if (values.json) console.log(JSON.stringify({ suite: name, machine, figures, targets, met }));
else {
  for (const [figure, value] of Object.entries(figures)) {
    const target = targets[figure];
    const wanted =
      target === undefined
        ? ""
        : `  (${target.atMost !== undefined ? `at most ${target.atMost}` : `at least ${target.atLeast}`}: ${met[figure] ? "met" : "missed"})`;
    console.log(`${figure.padEnd(40)} ${String(value).padStart(14)}${wanted}`);
  }
}
process.exit(Object.values(met).every(Boolean) ? 0 : 1);
