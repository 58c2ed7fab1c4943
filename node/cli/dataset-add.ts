/** `itd dataset add`: connects a CSV or Parquet file, or a table of PostgreSQL, to one's own node, by a manifest that is read or proposed. */
import { join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import {
  type DatasetManifest,
  datasetManifestSchema,
  parseDatasetManifest,
} from "../data-sharing/manifests/dataset-manifest.ts";
import type { ImportReport } from "../data-sharing/ports.ts";
import { TrustedDataError } from "../errors.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import type { ClientOptions, Context, Custody } from "./context.ts";
import { showImport } from "./import-progress.ts";
import { wrapText } from "./table.ts";

interface AddOptions extends ClientOptions {
  name?: string;
  person?: string;
  manifest?: string;
  config?: string;
  propose?: boolean;
  /** `NAME=FILE` each. */
  table?: string[];
}

export function addCommand(context: Context, ending: Ending): Command {
  return defineCommand<AddOptions>(
    {
      usage: "add <file>",
      summary: "connect a CSV or Parquet file, or a table of PostgreSQL",
      description:
        "Without --manifest one is proposed from the data and written beside the node's state: read it, put in the true bounds, " +
        "domains and purposes, and run the command again with it. A running node notices the new dataset by itself. In the place of a file, " +
        "postgres://USER@HOST:PORT/DATABASE?table=SCHEMA.TABLE leaves the rows where they are (docs/postgresql.md); the password comes from " +
        "PGPASSWORD or the password file.",
      examples: [
        [
          "dataset add people.csv --name people --person id --as bank",
          "Propose a manifest and connect by it",
        ],
        [
          "dataset add people.csv --manifest people.yaml --as bank",
          "Connect by your own manifest, replacing the dataset of its name",
        ],
        [
          "dataset add visits.csv --manifest visits.yaml --table patients=patients.csv --as hospital",
          "With a further table that the manifest declares, about the same people",
        ],
        [
          "dataset add people.csv --name people --person id --config node.yaml --propose",
          "Outside of a lab; only write the manifest",
        ],
        [
          'dataset add "postgres://itd_reader@db.example.org/clinic?table=public.visits" --name visits --person patient_id --as hospital',
          "Answer from live rows of a database",
        ],
      ],
      configure: (command) =>
        command
          .option("--name <name>", "what the dataset is called (lower-case letters, digits, hyphens)")
          .option("--person <column>", "the column that says whose row it is: the privacy unit")
          .option("--manifest <file>", "the dataset's manifest (YAML or JSON)")
          .option(
            "--table <name=file>",
            "the file of a further table of the manifest (repeatable)",
            (value: string, before: string[] = []) => [...before, value],
          )
          .option("--config <file>", "the node's own settings, outside of a lab")
          .option("--propose", "write the proposed manifest and stop before anything is connected"),
      run: async ([file], options, invocation) => await add(file!, options, invocation),
    },
    context,
    ending,
  );
}

async function add(file: string, options: AddOptions, invocation: Invocation): Promise<Outcome> {
  if (options.manifest === undefined && (options.name === undefined || options.person === undefined))
    throw usageError("Give --name and --person, or a --manifest that says both.");
  if (options.manifest === undefined && options.table !== undefined)
    throw usageError("--table goes with a --manifest that declares the further tables.");
  const furtherFiles = furtherFilesOf(options.table ?? []);
  if (options.config === undefined && options.as === undefined && options.client === undefined)
    throw usageError("Say whose node the data goes to: --as ORGANISATION in a lab, else --config FILE.");
  const custody = await invocation.context.openCustody(options);
  try {
    return options.manifest === undefined
      ? await addProposed(file, options, custody, invocation)
      : await connect(
          file,
          await readManifest(options.manifest, options, invocation),
          options.manifest,
          [],
          custody,
          invocation,
          furtherFiles,
        );
  } finally {
    await custody.close();
  }
}

/** By table, from `NAME=FILE`. */
function furtherFilesOf(options: readonly string[]): Record<string, string> {
  const files = new Map<string, string>();
  for (const option of options) {
    const [, table, file] = /^([a-z][a-z0-9_]*)=(.+)$/s.exec(option) ?? [];
    if (table === undefined || file === undefined)
      throw usageError(`Write --table NAME=FILE, such as --table patients=patients.csv; not ${option}.`);
    if (files.has(table)) throw usageError(`--table names ${table} twice.`);
    files.set(table, file);
  }
  return Object.fromEntries(files);
}

async function addProposed(
  file: string,
  { name, person, propose }: AddOptions,
  custody: Custody,
  invocation: Invocation,
): Promise<Outcome> {
  if (propose !== true) requireNew(name!, custody);
  const proposed = await custody.propose(file, person!);
  const manifest = requireManifest({ ...proposed.manifest, name: name! });
  const manifestFile = join(custody.folder, "manifests", `${manifest.name}.yaml`);
  await writeProposal(manifestFile, `${proposalBanner}${stringify(manifest)}`, invocation);
  for (const warning of proposed.warnings)
    invocation.note(wrapText(`Note: ${warning}`, invocation.terminal.columns));
  if (propose === true) {
    return {
      document: { manifestFile, manifest, warnings: proposed.warnings, report: null },
      text: [
        `Wrote a manifest to ${manifestFile}. Nothing is connected yet.`,
        nextStep(manifestFile, file, invocation),
      ].join("\n"),
    };
  }
  return await connect(file, manifest, manifestFile, proposed.warnings, custody, invocation);
}

async function connect(
  file: string,
  manifest: DatasetManifest,
  manifestFile: string,
  warnings: string[],
  custody: Custody,
  invocation: Invocation,
  furtherFiles: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  requireConsentKept(manifest, custody);
  const progress = showImport(manifest.name, invocation.terminal);
  const report = await custody.datasets
    .importFile(file, manifest, progress.onProgress, furtherFiles)
    .finally(() => progress.stop());
  return {
    document: { manifestFile, manifest, warnings, report },
    text: [
      `${custody.name} now holds ${manifest.name}: ${report.rows} rows of ${report.people} people.`,
      ...reportLines(report),
      ...(warnings.length > 0 || invocation.options.as !== undefined
        ? [`What is declared about it: ${manifestFile}`]
        : []),
      ...(warnings.length > 0 ? [nextStep(manifestFile, file, invocation)] : []),
      "A running node offers it within seconds: npx itd datasets shows it then.",
      ...(/^postgres(?:ql)?:/i.test(file)
        ? [
            "The node connects by itself: a password has to be in its own environment (PGPASSWORD) or password file, too.",
          ]
        : []),
    ].join("\n"),
  };
}

/** People were told that their rows take part by consent alone: an import must not end that by the way. */
function requireConsentKept(manifest: DatasetManifest, { datasets }: Custody): void {
  const before = datasets.manifests().find(({ name }) => name === manifest.name);
  if (before?.consent !== "required" || manifest.consent !== undefined) return;
  throw new TrustedDataError(
    "dataset_exists",
    `${manifest.name} answers over people who consent, and the new manifest says nothing of consent: write consent: required, or, if the lawful ground has changed, consent: not-required.`,
    { dataset: manifest.name },
  );
}

/** Only the custodian sees these numbers: they are exact. */
function reportLines(report: ImportReport): string[] {
  const counts = (of: Record<string, number>, what: string) =>
    Object.entries(of).map(
      ([column, count]) => `  ${column}: ${count} ${count === 1 ? "value" : "values"} ${what}`,
    );
  return [
    ...(report.rowsLeftOut > 0
      ? [
          `  ${report.rowsLeftOut} rows left out: their people had more rows than rowsPerPerson, and others were drawn`,
        ]
      : []),
    ...Object.entries(report.tables ?? {}).map(
      ([table, { rows, rowsLeftOut }]) => `  ${table}: ${rows} rows, ${rowsLeftOut} of them left out`,
    ),
    ...counts(report.clamped, "moved to a declared bound"),
    ...counts(report.rounded, "rounded to the declared grid"),
    ...counts(report.madeNull, "outside of the declared domain, taken as unknown"),
    ...Object.entries(report.unfit ?? {}).map(
      ([column, count]) => `  ${count} rows left out: ${column} names nobody, or has no value that fits`,
    ),
    ...(report.ignoredColumns.length > 0 ? [`  not taken over: ${report.ignoredColumns.join(", ")}`] : []),
  ];
}

async function readManifest(
  manifestFile: string,
  { name, person }: AddOptions,
  { terminal }: Invocation,
): Promise<DatasetManifest> {
  const manifest = parseDatasetManifest(await terminal.readFile(manifestFile));
  if (name !== undefined && name !== manifest.name)
    throw usageError(
      `--name says ${name}, the manifest says ${manifest.name}; leave --name out or correct one.`,
    );
  if (person !== undefined && person !== manifest.person)
    throw usageError(
      `--person says ${person}, the manifest says ${manifest.person}; leave --person out or correct one.`,
    );
  return manifest;
}

/** What a custodian decided (bounds, purposes, budget, consent) must not give way to what was read off the rows. */
function requireNew(name: string, { datasets }: Custody): void {
  if (!datasets.manifests().some((known) => known.name === name)) return;
  throw new TrustedDataError(
    "dataset_exists",
    `There is a dataset ${name} here already, and a proposal would replace all that is declared about it: give its manifest with --manifest, or take another name.`,
    { name },
  );
}

async function writeProposal(manifestFile: string, text: string, { terminal }: Invocation): Promise<void> {
  const before = await terminal.readFile(manifestFile).catch(() => undefined);
  if (before !== undefined && before !== text)
    throw new TrustedDataError(
      "dataset_exists",
      `${manifestFile} is there already, and may hold your corrections: connect by it with --manifest, or remove it for a new proposal.`,
      { file: manifestFile },
    );
  await terminal.writeFile(manifestFile, text);
}

function requireManifest(manifest: DatasetManifest): DatasetManifest {
  const checked = datasetManifestSchema.safeParse(manifest);
  if (checked.success) return checked.data;
  const reasons = Object.fromEntries(
    checked.error.issues.map(({ path, message }) => [path.join("."), message]),
  );
  const [[field, reason] = ["document", "it is not usable"]] = Object.entries(reasons);
  throw new TrustedDataError(
    "manifest_invalid",
    `The dataset cannot be declared so: ${field}: ${reason}.`,
    reasons,
  );
}

function nextStep(manifestFile: string, file: string, { options }: Invocation): string {
  const { config, as, client, state } = options as AddOptions;
  const whose = Object.entries({ config, as, client, state }).flatMap(([option, value]) =>
    value === undefined ? [] : [` --${option} ${quoted(value)}`],
  );
  return [
    "Bounds and domains were read off the data, which itself says something about the people in it. Replace them by what is known",
    `beforehand, set purposes and budget, then: npx itd dataset add ${quoted(file)} --manifest ${quoted(manifestFile)}${whose.join("")}`,
  ].join("\n");
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const proposalBanner = `# Proposed from the data. Before others see this, replace what was read off the rows (bounds, domains) by what is known beforehand:
# anyone can read a manifest. Set title, description, purposes (Data Privacy Vocabulary), dataClass and budget as you want them.
`;
