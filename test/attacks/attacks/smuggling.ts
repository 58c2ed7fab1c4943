/**
 * Hostile SQL in algorithms that vetters approved, hostile values of parameters, and hostile names in manifests. All of it is refused before
 * a plan is made or an engine asked, with the place and the reason; nothing is charged, and the daemon answers as before.
 */
import { parseAlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { parseDatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { canonicalHash, canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { call } from "../../support/https-call.ts";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import type { Field } from "../support/field.ts";
import { hostileIdentifiers, hostileParameters, hostileSql } from "../support/hostile.ts";
import { valuesOf } from "../support/reply.ts";

const microRho = 1_000;
const honest = peopleAlgorithm(
  "attack-smuggling",
  "SELECT COUNT(*) AS people FROM people WHERE fresh >= param.fresh",
  { microRho },
);
/** Of a refusal that says where and why. */
const placed = /at line \d+, column \d+: .+\.$/;

export const smuggling: Attack = {
  name: "smuggling",
  what: "hostile SQL, parameters and identifiers, through approved algorithms",
  bound: "not refused as they should be: 0; no false alarms",
  async run(target, size) {
    const daemon = await target.daemon();
    const offer = await daemon.addDataset(peopleDataset([{ cell: 0 }], { cells: 1 }));
    // A bad build is caught by the first statements; publishing each takes three transactions.
    const statements = size === "fast" ? hostileSql.slice(0, 8) : hostileSql;
    const passed: string[] = [];
    for (const [i, sql] of statements.entries()) {
      const algorithm = { ...honest, name: `attack-hostile-${i}`, sql };
      const reply = await daemon.ask(asked(algorithm, { fresh: fresh() }), offer);
      const reason = (JSON.parse(reply.text).detail ?? "") as string;
      const isRefused = reply.code === "sql_refused" && reply.plan === null && reply.chargeMicroRho === 0n;
      if (!isRefused || !placed.test(reason)) passed.push(sql);
    }
    for (const value of hostileParameters) {
      // Some are refused by the form of a request already.
      const question = { ...asked(honest), parameters: { fresh: value as string } };
      const reply = await daemon.ask(question, offer);
      if (!/^(?:parameter_invalid|request_invalid)$/.test(reply.code ?? "")) passed.push(String(value));
    }
    passed.push(...(await acceptedIdentifiers(daemon.field)));
    valuesOf(await daemon.ask(asked(honest, { fresh: fresh() }), offer));
    if ((await daemon.spent(offer)) !== BigInt(microRho)) passed.push("a refusal that was charged");
    const tried = `${statements.length} statements, ${hostileParameters.length} values, ${hostileIdentifiers.length} identifiers`;
    const first = passed.length === 0 ? "none" : JSON.stringify(passed[0]!.slice(0, 80));
    return atMost(passed.length, 0, "passed", `${tried}; passed: ${first}`);
  },
};

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
