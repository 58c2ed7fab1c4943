/**
 * Questions that an engine could stumble over, of data with and without one person: status, code, headers and the form of the body have to
 * be the same. Numbers, which noise moves anyway, and hashes are taken out before the comparison.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm } from "../support/cells.ts";
import { neighbours } from "../support/neighbours.ts";
import type { Reply } from "../support/reply.ts";

const microRho = 200_000;
const valueBound = 2 ** 47;

const nasty = [
  "SELECT COUNT(*) AS people FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT cell, COUNT(*) AS people FROM people WHERE target >= 1 AND fresh >= param.fresh GROUP BY cell",
  "SELECT AVG(value) AS mean FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT SUM(value) AS total FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT SUM(value * 30000) AS total FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT AVG(value * 8192 + value) AS mean FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT SUM(value / 3) AS total FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT COUNT(*) AS people FROM people WHERE value * 32767 > 4000000000000000000 AND fresh >= param.fresh",
  "SELECT COUNT(*) AS people FROM people WHERE value > 140737488355327 AND fresh >= param.fresh",
  "SELECT COUNT(*) AS people FROM people WHERE value / 140737488355328 = 1 AND fresh >= param.fresh",
  "SELECT cell, AVG(value) AS mean FROM people WHERE fresh >= param.fresh GROUP BY cell",
  "SELECT VARIANCE(value / 1000000) AS spread FROM people WHERE target >= 1 AND fresh >= param.fresh",
  "SELECT cell, MAX(secret) AS most FROM people WHERE target >= 1 AND fresh >= param.fresh GROUP BY cell",
  "SELECT COUNT(*) AS people FROM people a JOIN people b ON a.person = b.person WHERE a.target >= 1 AND a.fresh >= param.fresh",
  "SELECT cell, COUNT(*) AS people FROM people WHERE target >= 1 AND fresh >= param.fresh GROUP BY cell HAVING COUNT(*) > 0",
].map((sql, i) => peopleAlgorithm(`attack-nasty-${i}`, sql, { microRho }));

/** Of the first question only, as they are refused before a plan is made. */
const badParameters: Record<string, number | string>[] = [
  { fresh: -1 },
  { fresh: Number.MAX_SAFE_INTEGER },
  { fresh: "1 OR TRUE" },
  { other: 1 },
  {},
];

export const errorChannel: Attack = {
  name: "error-channel",
  what: "empty groups, extremes and bad parameters, with and without one person",
  bound: "differences of status, code, headers and body but for numbers: 0; false alarm 1e-9 by noise",
  async run(target, size) {
    const repeats = size === "fast" ? 1 : 5;
    const daemon = await target.daemon();
    const others = Array.from({ length: 1_000 }, () => ({ cell: 0, value: 1 }));
    const { with: one, without: none } = await neighbours(daemon, others, [{ cell: 1, value: valueBound }], {
      cells: 2,
      valueBounds: [0, valueBound],
      over: { minimumPeople: 30 },
    });
    const questions = Array.from({ length: repeats }, () => [
      ...nasty.map((algorithm) => asked(algorithm, { fresh: fresh() })),
      ...badParameters.map((parameters) => ({ ...asked(nasty[0]!), parameters })),
    ]).flat();
    const [here, there] = [await daemon.askAll(questions, one), await daemon.askAll(questions, none)];
    const different = questions.filter((_, i) => formOf(here[i]!) !== formOf(there[i]!));
    const answered = here.filter(({ outcome }) => outcome === "answered").length;
    return atMost(
      different.length,
      0,
      "differences",
      `${questions.length} questions of both (${answered} answered); different: ${
        different.map(({ algorithm }) => algorithm.name).join(", ") || "none"
      }`,
    );
  },
};

/** All that is not a number, a hash or a signature. Names of headers too, as one could be there in one case only. */
export function formOf({ status, headers, text }: Reply): string {
  const body = text
    .replace(/0x[0-9a-f]+/g, "0x")
    .replace(/"keyThumbprint":"[^"]*"/, "")
    .replace(/-?\d+/g, "0");
  return JSON.stringify([status, Object.keys(headers).sort(), headers["content-type"], body]);
}
