/** `itd algorithm check FILE`: what an algorithm would do to a dataset and its budget, before anybody publishes, signs or asks it. */
import type { Command } from "commander";
import { discoverDatasets } from "../data-sharing/discover.ts";
import {
  type AlgorithmManifest,
  algorithmHash,
  parseAlgorithmManifest,
} from "../data-sharing/manifests/algorithm-manifest.ts";
import { type DatasetManifest, parseDatasetManifest } from "../data-sharing/manifests/dataset-manifest.ts";
import { compilePlan } from "../data-sharing/plan/compile-plan.ts";
import { loadSqlParser } from "../data-sharing/plan/parse-sql.ts";
import { groupCountOf, type Plan, type Release } from "../data-sharing/plan/plan.ts";
import { planHash } from "../data-sharing/plan/plan-hash.ts";
import { type ExpectedError, expectedErrors } from "../data-sharing/release/expected-error.ts";
import { TrustedDataError } from "../errors.ts";
import { algorithmCosts, epsilonAt } from "./charge.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import type { Context } from "./context.ts";
import { rhoText } from "./names.ts";
import { planLines, releaseText } from "./plan-text.ts";
import { readParameters } from "./question.ts";
import { renderTable, wrapText } from "./table.ts";

interface CheckOptions {
  manifest?: string;
  dataset?: string;
  people: string;
  param?: string[];
}

const peopleMax = 10_000_000_000;

export function checkCommand(context: Context, ending: Ending): Command {
  return defineCommand<CheckOptions>(
    {
      usage: "check <file>",
      summary: "a dry run: plan, sensitivity, charge and expected error of a manifest (YAML or JSON)",
      description:
        "No data is looked at and nothing is sent. The plan depends on what a dataset declares (bounds, domains, rows of a person): give its " +
        "manifest with --manifest, or its name with --dataset to take it from the directories; without either the first one found of the " +
        "algorithm's class is taken. The expected error is that of groups of equal size with one row a person.",
      examples: [
        ["algorithm check wages-by-city.yaml --manifest wages.yaml --people 5000", "Without any network"],
        [
          "algorithm check wages-by-city.yaml --dataset wages --param minimum_age=30",
          "For a dataset on offer",
        ],
      ],
      configure: (command) =>
        command
          .option("--manifest <file>", "a dataset's manifest (YAML or JSON)")
          .option("--dataset <name>", "a dataset that is on offer")
          .option("--people <number>", "how many people the dataset has", "10000")
          .option("--param <name=value>", "a value of a parameter; may be repeated", collect),
      run: async ([file], options, invocation) => await check(file!, options, invocation),
    },
    context,
    ending,
  );
}

async function check(file: string, options: CheckOptions, invocation: Invocation): Promise<Outcome> {
  if (options.manifest !== undefined && options.dataset !== undefined)
    throw usageError("Give --manifest or --dataset, not both.");
  if (!/^[1-9]\d{0,10}$/.test(options.people) || Number(options.people) > peopleMax)
    throw usageError(`--people takes a whole number from 1 to ${peopleMax}.`);
  const given = readParameters(options.param ?? []);
  const algorithm = parseAlgorithmManifest(await invocation.terminal.readFile(file));
  const parameters = given(algorithm);
  await loadSqlParser();
  const dataset =
    options.manifest === undefined
      ? await offeredManifest(algorithm, options.dataset, invocation)
      : parseDatasetManifest(await invocation.terminal.readFile(options.manifest));
  const plan = compilePlan(algorithm, parameters, dataset);
  return outcome(algorithm, dataset, plan, Number(options.people), invocation);
}

/** @throws TrustedDataError `no_dataset_found`, saying what else may be given. */
async function offeredManifest(
  algorithm: AlgorithmManifest,
  name: string | undefined,
  invocation: Invocation,
): Promise<DatasetManifest> {
  const { offers, problems } = await discoverDatasets(name ?? "", await invocation.client());
  for (const { message, code } of problems) invocation.note(`Note: ${message} (${code})`);
  const fits = offers.filter(
    ({ manifest }) => manifest.dataClass === algorithm.dataClass && manifest.table === algorithm.table,
  );
  const found = fits.find(({ manifest }) => manifest.name === name) ?? fits[0];
  if (found !== undefined) return found.manifest;
  throw new TrustedDataError(
    "no_dataset_found",
    `No dataset on offer is of the class ${algorithm.dataClass} with a table ${algorithm.table}${name === undefined ? "" : ` and matches ${JSON.stringify(name)}`}; give a dataset's manifest with --manifest FILE.`,
    { dataClass: algorithm.dataClass },
  );
}

interface Expectation {
  people: number;
  /** Null where the data says how many there are. */
  groups: number | null;
  rowsPerGroup: number;
  errors: ExpectedError[];
  /** Whether a group of this size is likely to be suppressed or not shown. */
  isTooSmall: boolean;
}

function expectation(plan: Plan, people: number): Expectation {
  const groups = groupCountOf(plan);
  const rowsPerGroup = Math.max(1, Math.floor(people / (groups ?? 1)));
  const least = Math.max(plan.floor.minimum, Number(plan.threshold?.minimum ?? 0));
  const errors = expectedErrors(plan, rowsPerGroup);
  return { people, groups, rowsPerGroup, errors, isTooSmall: rowsPerGroup < least };
}

function outcome(
  algorithm: AlgorithmManifest,
  dataset: DatasetManifest,
  plan: Plan,
  people: number,
  invocation: Invocation,
): Outcome {
  const expected = expectation(plan, people);
  const { total, perQuerier } = answersFrom(dataset, plan);
  return {
    document: {
      algorithm: { name: algorithm.name, version: algorithm.version, hash: algorithmHash(algorithm) },
      dataset: dataset.name,
      plan,
      planHash: planHash(plan),
      chargeMicroRho: plan.microRho,
      epsilon: epsilonAt(BigInt(plan.microRho)),
      answers: { total, perQuerier },
      beyondBudget: beyondBudget(dataset, plan) ?? null,
      expected,
    },
    text: text(algorithm, dataset, plan, expected, invocation),
  };
}

/** How many answers like this a fresh budget pays for. */
function answersFrom({ budget }: DatasetManifest, plan: Plan): { total: number; perQuerier: number } {
  const charge = BigInt(plan.microRho);
  const total = BigInt(budget.totalMicroRho) / charge;
  const own = BigInt(budget.perQuerierMicroRho) / charge;
  return { total: Number(total), perQuerier: Number(own < total ? own : total) };
}

/** What of the dataset's budget one answer is beyond, so that it can never be asked; undefined if it fits. */
function beyondBudget({ budget }: DatasetManifest, plan: Plan): string | undefined {
  const charge = BigInt(plan.microRho);
  if (charge > BigInt(budget.totalMicroRho)) return "the whole budget (totalMicroRho)";
  if (charge > BigInt(budget.perQuerierMicroRho))
    return "the budget of one querier and purpose (perQuerierMicroRho)";
  return charge > BigInt(budget.reservedMicroRho)
    ? "what is reserved between two batches (reservedMicroRho)"
    : undefined;
}

function text(
  algorithm: AlgorithmManifest,
  dataset: DatasetManifest,
  plan: Plan,
  expected: Expectation,
  { terminal, paint }: Invocation,
): string {
  const width = terminal.columns;
  const { total, perQuerier } = answersFrom(dataset, plan);
  const beyond = beyondBudget(dataset, plan);
  const titled = (title: string, words: string) =>
    wrapText(words, Math.max(40, width - 15))
      .split("\n")
      .map((line, at) => `${at === 0 ? title.padEnd(14) : " ".repeat(14)} ${line}`)
      .join("\n");
  const releases = renderTable(
    [
      { title: "what is released" },
      { title: "one person moves it by", align: "right" },
      { title: "noise", align: "right" },
      { title: "rho", align: "right" },
    ],
    plan.releases.map((release) => [
      releaseText(plan, release),
      sensitivityText(release),
      noiseText(release),
      rhoText(release.microRho),
    ]),
    width,
    paint,
  );
  const errors = renderTable(
    [
      { title: "column", isWhole: true },
      { title: "95% of the time within", align: "right" },
    ],
    expected.errors.map((error) => [error.name, errorText(error, expected.rowsPerGroup)]),
    width,
    paint,
  );
  const groups =
    expected.groups === null
      ? "one group of all"
      : expected.groups === 1
        ? "one group"
        : `${expected.groups} equal groups`;
  return [
    `${paint.bold(`${algorithm.name}, version ${algorithm.version}`)} over ${dataset.name}: it compiles.`,
    "",
    ...planLines(plan).map(([title, words]) => titled(title, words)),
    titled("plan", planHash(plan)),
    "",
    releases,
    wrapText(
      `An answer costs ${algorithmCosts(plan.microRho)}. A fresh budget of ${dataset.name} pays for ${total} like it, ${perQuerier} of one querier and purpose.`,
      width,
    ),
    ...(beyond === undefined
      ? []
      : [
          paint.bad(
            wrapText(`It cannot be asked of ${dataset.name}: one answer costs more than ${beyond}.`, width),
          ),
        ]),
    "",
    wrapText(
      `Expected error of the noise with ${expected.people} people in ${groups} (${expected.rowsPerGroup} rows each):`,
      width,
    ),
    errors,
    ...(expected.isTooSmall
      ? [
          paint.bad(
            "Groups of this size will mostly be suppressed: ask for fewer groups, or a larger dataset.",
          ),
        ]
      : []),
  ].join("\n");
}

function sensitivityText(release: Release): string {
  if (release.mechanism === "exponential") return `${release.sensitivity} of a score`;
  const squared = Number(release.sensitivitySquared);
  const root = Math.sqrt(squared);
  return Number.isInteger(root) ? String(root) : root.toFixed(2);
}

function noiseText(release: Release): string {
  const rho = Number(release.microRho) / 1e6;
  if (release.mechanism === "exponential") return `epsilon ${Math.sqrt(8 * rho).toPrecision(3)}`;
  return `sd ${readable(Math.sqrt(Number(release.sensitivitySquared) / (2 * rho)))}`;
}

function errorText({ margin, rank }: ExpectedError, rows: number): string {
  if (margin !== null) return `± ${readable(margin)}`;
  if (rank === null) return "";
  return `${readable(rank)} rows of the wanted place (${Math.min(100, (100 * rank) / rows).toPrecision(2)}% of the group)`;
}

/** Three digits, without an exponent. */
function readable(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return String(Number(value.toPrecision(3)));
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
