/** A combined answer as a document for programs, and as a table with margins, bars and plain words for people. */
import type { Failure } from "../data-sharing/ask-all.ts";
import type { AlgorithmManifest } from "../data-sharing/manifests/algorithm-manifest.ts";
import type { Ended } from "../data-sharing/querier.ts";
import type { PresentedAnswer, PresentedRow } from "../data-sharing/release/presented-answer.ts";
import { answerTable } from "./answer-table.ts";
import { epsilonAt, reportDelta } from "./charge.ts";
import { barChart } from "./chart.ts";
import type { Invocation } from "./command.ts";
import type { Client } from "./context.ts";
import { rhoText, shortHex } from "./names.ts";
import { failureDocument } from "./query-failure.ts";
import type { SavedReceipt } from "./receipts.ts";
import { wrapText } from "./table.ts";
import { unitsOf } from "./units.ts";

export interface Answered {
  algorithm: AlgorithmManifest;
  purpose: string;
  presented: PresentedAnswer;
  /** In the order of the offers. */
  answered: Ended[];
  failures: Failure[];
  receipts: SavedReceipt[];
  /** By answer. */
  answersLeft: (bigint | undefined)[];
}

/** More lines than this and a person scrolls past the table. */
const chartRowsMax = 48;
const confidence = 0.95;

export function answerDocument({
  algorithm,
  purpose,
  presented,
  answered,
  failures,
  receipts,
  answersLeft,
}: Answered) {
  const { columns, rows } = presented;
  const valuesOf = (row: PresentedRow) =>
    columns.map(({ name, type }, i) => [
      name,
      type === "number" ? numberOrNull(row.values[i]) : (row.values[i] ?? null),
    ]);
  const spacings = columns.flatMap(({ name, spacing }) =>
    spacing === null ? [] : [[name, numberOrNull(spacing)]],
  );
  const labels = columns.flatMap(({ name, label }) => (label === undefined ? [] : [[name, label]]));
  const marginsOf = (row: PresentedRow) =>
    columns.flatMap(({ name, kind }, i) => (kind === "key" ? [] : [[name, numberOrNull(row.margins[i])]]));
  const charged = answered.map(({ transcript }) => BigInt(transcript.chargeMicroRho));
  const total = charged.reduce((sum, charge) => sum + charge, 0n);
  const files = receipts.map(({ file }) => file);
  return {
    algorithm: { name: algorithm.name, version: algorithm.version },
    purpose,
    answer: rows.map((row) => ({
      ...Object.fromEntries(valuesOf(row)),
      ...(row.suppressed && { suppressed: true }),
      ...(row.partial && { partial: true }),
    })),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    uncertainty: {
      confidence,
      margins: rows.map((row) => Object.fromEntries(marginsOf(row))),
      ...(spacings.length > 0 && { spacing: Object.fromEntries(spacings) }),
    },
    charge: {
      microRho: total.toString(),
      epsilon: epsilonAt(total),
      delta: reportDelta,
      repositories: answered.map(({ offer }, i) => ({
        repository: offer.repository,
        microRho: charged[i]!.toString(),
        epsilon: epsilonAt(charged[i]!),
        answersLeft: answersLeft[i] === undefined ? null : Number(answersLeft[i]),
      })),
    },
    receipt: files[0] ?? null,
    receipts: files,
    receiptsPending: receipts.filter(({ isComplete }) => !isComplete).map(({ file }) => file),
    repositories: answered.map(({ offer }) => ({
      name: offer.publisher,
      address: offer.repository,
      dataset: offer.manifest.name,
      synthetic: offer.manifest.synthetic,
      receipt:
        receipts.find(({ receipt }) => receipt.transcript.request.dataset === offer.dataset)?.file ?? null,
    })),
    failures: failures.map(failureDocument),
  };
}

export function answerText(
  result: Answered,
  client: Pick<Client, "names">,
  { terminal, paint }: Pick<Invocation, "terminal" | "paint">,
): string {
  const { algorithm, presented, answered } = result;
  const width = terminal.columns;
  const sources = answered.map(({ offer }) => {
    const made = offer.manifest.synthetic ? ", synthetic" : "";
    return `${offer.publisher} (${offer.manifest.name}${made})`;
  });
  const units = unitsOf(answered.map(({ plan, offer }) => ({ plan, manifest: offer.manifest })));
  return [
    paint.bold(algorithm.title),
    wrapText(`From ${listed(sources)}.`, width),
    "",
    answerTable(presented, width, paint, units),
    ...answerCharts(presented, width, paint),
    "",
    ...explanations(result, width, paint),
    ...chargeLines(result, width),
    ...compositionLine(result, width),
    "",
    ...receiptLines(result.receipts, client),
  ].join("\n");
}

/** Bars of the measured columns, as many as a person looks at; the last ones, which questions are mostly about. */
export function answerCharts(
  presented: PresentedAnswer,
  width: number,
  paint: Invocation["paint"],
): string[] {
  const measured = presented.columns.flatMap(({ type }, i) => (type === "number" ? [i] : []));
  if (presented.rows.length < 2) return [];
  const fitting = Math.max(1, Math.floor(chartRowsMax / (presented.rows.length + 2)));
  return measured
    .slice(-fitting)
    .flatMap((column) => barChart(presented, column, width, paint) ?? [])
    .flatMap((chart) => ["", chart]);
}

/** What the marks in a table mean that are not numbers. */
export function markNotes({ rows }: PresentedAnswer): string[] {
  const notes: string[] = [];
  if (rows.some(({ suppressed }) => suppressed))
    notes.push('"too few": so few people by the noisy count that nothing is shown.');
  if (rows.some(({ partial }) => partial))
    notes.push("* : too few people at some of the repositories; the numbers are of the others.");
  return notes;
}

function explanations(
  { presented, answered, failures }: Answered,
  width: number,
  paint: Invocation["paint"],
): string[] {
  // Answers with quantiles stand side by side, each with the noise of its own repository.
  const isTogether = answered.length > 1 && presented.columns.every(({ kind }) => kind !== "quantile");
  const several = isTogether ? ` The noise of ${answered.length} repositories is put together in it.` : "";
  const texts = [
    `± : 95% of the time the noise alone stays within it.${several} It says nothing about how the people in the data were chosen.`,
  ];
  for (const { name, type, spacing, rankMargin } of presented.columns)
    if (spacing !== null && rankMargin !== null)
      texts.push(
        `${name}: one of values ${spacing}${type === "date" ? " days" : ""} apart; 95% of the time its rank is off by at most ${rankMargin} rows.`,
      );
  if (presented.rows.length === 0)
    texts.push("No group is shown: there is none, or none with people enough by the noisy count.");
  texts.push(...markNotes(presented));
  const lines = texts.map((text) => wrapText(text, width));
  for (const { offer, message, code } of failures)
    lines.push(
      paint.bad(wrapText(`Without ${offer.publisher} (${offer.manifest.name}): ${message} (${code})`, width)),
    );
  return lines;
}

function chargeLines({ answered, answersLeft }: Answered, width: number): string[] {
  return answered.map(({ offer, transcript }, i) => {
    const charge = BigInt(transcript.chargeMicroRho);
    const cost =
      charge === 0n
        ? "free: the same question was answered before, and the stored answer came back"
        : `cost epsilon ${epsilonAt(charge)} of privacy (delta 10^-6; ${rhoText(charge)} rho)`;
    const left = answersLeft[i];
    const more =
      left === undefined ? "" : `; about ${left} more ${left === 1n ? "answer" : "answers"} like this`;
    return wrapText(`${offer.publisher}: ${cost}${more}.`, width);
  });
}

/** Losses of one person add up over the repositories that have his rows: whether there is such a person nobody here knows. */
function compositionLine({ answered }: Answered, width: number): string[] {
  const charges = answered.map(({ transcript }) => BigInt(transcript.chargeMicroRho));
  const total = charges.reduce((sum, charge) => sum + charge, 0n);
  if (charges.filter((charge) => charge > 0n).length < 2) return [];
  return [
    wrapText(
      `Somebody whose rows ${answered.length === 2 ? "both" : `all ${answered.length}`} have loses epsilon ${epsilonAt(total)} (${rhoText(total)} rho).`,
      width,
    ),
  ];
}

function receiptLines(receipts: readonly SavedReceipt[], client: Pick<Client, "names">): string[] {
  const lines = receipts.map(({ file, publisher, repository, isComplete }) => {
    const who = client.names.has(repository) ? publisher : `${publisher} (${shortHex(repository)})`;
    return `Receipt of ${who}${isComplete ? "" : ", pending: not anchored yet"}: ${file}`;
  });
  const first = receipts[0];
  if (first === undefined) return lines;
  const why = first.isComplete ? "Check it" : "Complete and check it later";
  return [...lines, `${why}: npx itd receipt verify ${first.file}`];
}

/** A decimal text as a JSON number where that is exact enough; a longer one stays text. */
function numberOrNull(text: string | null | undefined): number | string | null {
  if (text === null || text === undefined) return null;
  return Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER ? Number(text) : text;
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
