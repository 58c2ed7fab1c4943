/** `itd consent enrol|counts`: the custodian's side of consent, on the machine of the node, whether or not its daemon runs. */
import type { Command } from "commander";
import { type DatasetManifest, needsConsent } from "../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../errors.ts";
import { addressPattern } from "../primitives/hex.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import type { ClientOptions, Context, Custody } from "./context.ts";
import { type NamedKey, readEnrolments } from "./enrolment-list.ts";
import { timeText } from "./names.ts";
import { renderTable } from "./table.ts";

interface EnrolOptions extends ClientOptions {
  dataset: string;
  person?: string;
  key?: string;
  file?: string;
  config?: string;
}

export function enrolCommand(context: Context, ending: Ending): Command {
  return defineCommand<EnrolOptions>(
    {
      usage: "enrol",
      summary: "as custodian: bind a person to the key whose consent counts",
      description:
        "Do it over a channel on which you already know who it is. VALUE is what stands in the dataset's person column, letter for letter; " +
        "only its keyed hash is kept, and it holds over later imports. Another key for the same person ends what was said under the former.",
      examples: [
        [
          "consent enrol --dataset wages --person 4711 --key 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --as bank",
          "One person",
        ],
        [
          "consent enrol --dataset wages --file people.csv --config node.yaml",
          "Many: a CSV file with the columns person and key",
        ],
      ],
      configure: (command) =>
        command
          .requiredOption("--dataset <name>", "the dataset's name")
          .option("--person <value>", "the person, as in the dataset's person column")
          .option("--key <address>", "the account whose signature counts")
          .option("--file <csv>", "many people: a header line person,key and a line each")
          .option("--config <file>", "the node's own settings, outside of a lab"),
      run: async (_args, options, invocation) => {
        if (options.file === undefined && (options.person === undefined || options.key === undefined))
          throw usageError("Give --person and --key, or a --file with many.");
        if (options.file !== undefined && (options.person !== undefined || options.key !== undefined))
          throw usageError("Give --person and --key, or a --file; not both.");
        return await withCustody(options, invocation, (custody) => enrol(options, custody));
      },
    },
    context,
    ending,
  );
}

export function countsCommand(context: Context, ending: Ending): Command {
  return defineCommand<ClientOptions & { config?: string }>(
    {
      usage: "counts",
      summary: "as custodian: how many people are enrolled, and consent to what",
      description: "The numbers are exact: keep them to yourself. A running daemon counts every few seconds.",
      examples: [
        ["consent counts --as bank", "Of an organisation of the lab"],
        ["consent counts --config node.yaml", "Outside of a lab"],
      ],
      configure: (command) => command.option("--config <file>", "the node's own settings, outside of a lab"),
      run: async (_args, options, invocation) =>
        await withCustody(options, invocation, async (custody) => counted(custody, invocation)),
    },
    context,
    ending,
  );
}

async function withCustody(
  options: ClientOptions & { config?: string },
  { context }: Invocation,
  work: (custody: Custody) => Promise<Outcome>,
): Promise<Outcome> {
  if (options.config === undefined && options.as === undefined)
    throw usageError("Say whose node it is: --as ORGANISATION in a lab, else --config FILE.");
  const custody = await context.openCustody(options);
  try {
    return await work(custody);
  } finally {
    await custody.close();
  }
}

async function enrol({ dataset, person, key, file }: EnrolOptions, custody: Custody): Promise<Outcome> {
  requireConsented(dataset, custody);
  const people: NamedKey[] =
    file === undefined
      ? [{ person: person!, key: requireKey(key!) }]
      : [...readEnrolments(await custody.readText(file))];
  const hashOf = await custody.personHash(dataset);
  const report = custody.enrolments.enrol(dataset, hashed(people, hashOf));
  const enrolled = custody.enrolments.enrolledCount(dataset);
  const named = new Set(people.map(({ person }) => person));
  const notInData = await custody.datasets.countPeopleMissing(dataset, named).catch(reasonOf);
  return {
    document: {
      dataset,
      ...report,
      total: enrolled,
      notInData: typeof notInData === "number" ? notInData : null,
    },
    text: [
      `${custody.name}: ${report.enrolled} enrolled, ${report.rebound} bound to another key, ${report.unchanged} as before; ${enrolled} in all for ${dataset}.`,
      typeof notInData === "number"
        ? `${notInData} of the ${named.size} named are not in the data: look at the names, unless their rows are still to come.`
        : `Whether they are in the data could not be seen: ${notInData}`,
      "They take part as soon as they consent: npx itd consent grant, under their own key.",
    ].join("\n"),
  };
}

function* hashed(people: Iterable<NamedKey>, hashOf: (person: string) => Uint8Array) {
  for (const { person, key } of people) yield { person: hashOf(person), key };
}

function requireConsented(name: string, { datasets, name: whose }: Custody): DatasetManifest {
  const manifest = datasets.manifests().find((one) => one.name === name);
  if (manifest === undefined)
    throw new TrustedDataError("dataset_unknown", `${whose} holds no dataset ${name}; connect it first.`, {
      dataset: name,
    });
  if (needsConsent(manifest)) return manifest;
  throw new TrustedDataError(
    "consent_not_needed",
    `${name} does not ask for consent; write "consent: required" into its manifest and connect it again.`,
    { dataset: name },
  );
}

/** The enrolment stands whatever can be seen of the data. */
function reasonOf(error: unknown): string {
  if (error instanceof TrustedDataError) return error.message;
  throw error;
}

function requireKey(text: string): string {
  const key = text.toLowerCase();
  if (addressPattern.test(key)) return key;
  throw usageError(`--key takes an account (0x and 40 digits), not ${JSON.stringify(text)}.`);
}

function counted(
  { datasets, enrolments, consentCounts, name }: Custody,
  { terminal, paint }: Invocation,
): Outcome {
  const counts = consentCounts();
  const listed = datasets
    .manifests()
    .filter(needsConsent)
    .map((manifest) => ({
      dataset: manifest.name,
      enrolled: enrolments.enrolledCount(manifest.name),
      consenting: counts?.datasets[manifest.name]?.consenting ?? null,
    }));
  const document = { countedS: counts?.timeS ?? null, datasets: listed };
  if (listed.length === 0) return { document, text: `No dataset of ${name} asks for consent.` };
  const rows = listed.map(({ dataset, enrolled, consenting }) => [
    dataset,
    String(enrolled),
    consenting === null
      ? "not counted yet"
      : Object.entries(consenting)
          .map(([purpose, count]) => `${purpose}: ${count}`)
          .join(", "),
  ]);
  const titles = ["dataset", "enrolled", "consenting"].map((title) => ({
    title,
    isWhole: title === "dataset",
  }));
  const when =
    counts === undefined ? "The daemon has not counted yet." : `Counted ${timeText(counts.timeS)}.`;
  return { document, text: [renderTable(titles, rows, terminal.columns, paint), when].join("\n") };
}
