/**
 * Hostile SQL in algorithms that vetters approved, hostile values of parameters, and hostile names in manifests. All of it is refused before
 * a plan is made or an engine asked, with the place and the reason; nothing is charged, and the daemon answers as before, in as much memory.
 */
import { parseAlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { parseDatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { canonicalHash, canonicalJson } from "../../../node/primitives/canonical-json.ts";
import type { BadStatement } from "../../support/bad-sql/statement.ts";
import { badStatements } from "../../support/bad-sql/statements.ts";
import { badSqlCsv, badSqlDataset, badSqlManifest } from "../../support/bad-sql/world.ts";
import { call } from "../../support/https-call.ts";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset, plentyMicroRho } from "../support/cells.ts";
import type { Daemon } from "../support/daemon.ts";
import type { Field } from "../support/field.ts";
import { hostileIdentifiers, hostileParameters } from "../support/hostile.ts";
import { type Reply, valuesOf } from "../support/reply.ts";

const microRho = 1_000;
const honest = peopleAlgorithm(
  "attack-smuggling",
  "SELECT COUNT(*) AS people FROM people WHERE fresh >= param.fresh",
  { microRho },
);
const dataset = {
  csv: badSqlCsv,
  manifest: {
    ...badSqlDataset,
    budget: {
      totalMicroRho: plentyMicroRho,
      perQuerierMicroRho: plentyMicroRho,
      reservedMicroRho: plentyMicroRho,
    },
  },
};
/** Of a refusal that says where and why; a long reason is cut. */
const placed = /at line \d+, column \d+: .+[.…]$/s;
/** What logs, the parser and garbage that waits may take more than before; a statement that were kept would take it in a few rounds. */
const grownMiBMax = 128;

export const smuggling: Attack = {
  name: "smuggling",
  what: "hostile SQL, parameters and identifiers, through approved algorithms",
  bound: "not refused as they should be: 0; no false alarms",
  async run(target, size) {
    // Of its own: what other attacks ask takes memory, too.
    const daemon = await target.startDaemon();
    const offer = await daemon.addDataset(dataset);
    const shape = shapeOf(await daemon.ask(asked(honest, { fresh: fresh() }), offer));
    const startedBytes = await residentBytes(daemon);
    // A bad build is caught by the first statements; publishing each takes three transactions.
    const groups = Object.values(badStatements);
    const statements = size === "fast" ? groups.map(([first]) => first!) : groups.flat();
    const passed: string[] = [];
    const tookMs: number[] = [];
    for (const [i, statement] of statements.entries()) {
      const [sql, , code] = statement;
      if (code === "manifest_invalid") {
        if (!(await isHeldBack(daemon.field, sql))) passed.push(sql);
        continue;
      }
      const reply = await daemon.ask(asked({ ...badSqlManifest(sql), version: i + 1 }), offer);
      tookMs.push(reply.tookMs);
      if (!isRefusedAs(statement, reply)) passed.push(sql);
    }
    for (const value of hostileParameters) {
      // Some are refused by the form of a request already.
      const question = { ...asked(honest), parameters: { fresh: value as string } };
      const reply = await daemon.ask(question, offer);
      if (!/^(?:parameter_invalid|request_invalid)$/.test(reply.code ?? "")) passed.push(String(value));
    }
    passed.push(...(await acceptedIdentifiers(daemon.field)));
    const { status, text } = await daemon.get("/health");
    if (status !== 200 || JSON.parse(text).status !== "ok") passed.push("a daemon that is not well");
    if (shapeOf(await daemon.ask(asked(honest, { fresh: fresh() }), offer)) !== shape)
      passed.push("another answer than before");
    if ((await daemon.spent(offer)) !== BigInt(2 * microRho)) passed.push("a refusal that was charged");
    const grownMiB = ((await residentBytes(daemon)) - startedBytes) / 2 ** 20;
    if (grownMiB > grownMiBMax) passed.push(`${grownMiB.toFixed(0)} MiB more memory`);
    const tried = `${statements.length} statements, ${hostileParameters.length} values, ${hostileIdentifiers.length} identifiers`;
    const inOrder = tookMs.toSorted((a, b) => a - b);
    const took = `refused in ${inOrder[inOrder.length >> 1]!.toFixed(0)} ms at the median and ${inOrder.at(-1)!.toFixed(0)} ms at most`;
    const first = passed.length === 0 ? "none" : JSON.stringify(passed[0]!.slice(0, 80));
    return atMost(
      passed.length,
      0,
      "passed",
      `${tried}, ${took}, ${grownMiB.toFixed(0)} MiB more memory; passed: ${first}`,
    );
  },
};

function isRefusedAs([, reason, code = "sql_refused"]: BadStatement, reply: Reply): boolean {
  if (reply.code !== code || reply.plan !== null || reply.chargeMicroRho !== 0n) return false;
  const detail = (JSON.parse(reply.text).detail ?? "") as string;
  return detail.includes(reason.slice(0, 40)) && (code !== "sql_refused" || placed.test(detail));
}

/** Whether the directory refuses the manifest, so that no repository ever reads its SQL. */
async function isHeldBack(field: Field, sql: string): Promise<boolean> {
  const body = JSON.stringify(badSqlManifest(sql));
  const path = `PUT /v1/directory/algorithms/${canonicalHash(honest)}`;
  const { json } = await call(field.directory.endpoint, path, {
    headers: { "content-type": "application/yaml" },
    body,
  });
  return json?.code === "manifest_invalid" || json?.code === "body_too_large";
}

function shapeOf(reply: Reply): string {
  return JSON.stringify(valuesOf(reply).map((values) => values.length));
}

async function residentBytes(daemon: Daemon): Promise<number> {
  const { text } = await daemon.get("/metrics");
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)![1]);
}

/** Pushed to the directory as manifests, and read as datasets' manifests. */
async function acceptedIdentifiers(field: Field): Promise<string[]> {
  const accepted: string[] = [];
  const { manifest } = peopleDataset([{ cell: 0 }], { cells: 1 });
  for (const identifier of hostileIdentifiers) {
    const algorithms = [
      { ...honest, table: identifier },
      { ...honest, name: identifier },
      { ...honest, parameters: { [identifier]: honest.parameters.fresh } },
    ];
    const datasets = [
      { ...manifest, table: identifier },
      { ...manifest, name: identifier },
      { ...manifest, columns: { [identifier]: { type: "boolean" } } },
    ];
    const readings = [
      ...algorithms.map((document) => () => parseAlgorithmManifest(JSON.stringify(document))),
      ...datasets.map((document) => () => parseDatasetManifest(JSON.stringify(document))),
    ];
    if (readings.some((reading) => !isRefused(reading))) accepted.push(identifier);
    const path = `PUT /v1/directory/algorithms/${canonicalHash(algorithms[0]!)}`;
    const body = canonicalJson(algorithms[0]!);
    const headers = { "content-type": "application/yaml" };
    const { json } = await call(field.directory.endpoint, path, { headers, body });
    if (json?.code !== "manifest_invalid") accepted.push(identifier);
  }
  return accepted;
}

function isRefused(reading: () => unknown): boolean {
  try {
    reading();
    return false;
  } catch (error) {
    if (error instanceof TrustedDataError && error.code === "manifest_invalid") return true;
    throw error;
  }
}
