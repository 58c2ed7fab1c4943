/** `itd algorithms` and `itd algorithm ...`: what may be asked, who vetted it, and the author's and vetters' own acts. */
import { Command } from "commander";
import { approveCommand, publishCommand, revokeCommand } from "./algorithm-acts.ts";
import { checkCommand } from "./algorithm-check.ts";
import { algorithmCosts } from "./charge.ts";
import { defineCommand, type Ending, type Invocation, type Outcome } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { allAlgorithms, findAlgorithm, type KnownAlgorithm, problemNotes } from "./find-algorithm.ts";
import { accountText, isoTime, shortHex, timeText } from "./names.ts";
import { renderTable, wrapText } from "./table.ts";

export function algorithmCommands(context: Context, ending: Ending): Command[] {
  const group = new Command("algorithm")
    .summary("check, publish, approve, revoke and read algorithms")
    .description(
      "An algorithm is a manifest: a question in SQL with typed parameters, its charge and its purposes. Its hash is on the chain; " +
        "it may run once vetters of two independent organisations have signed it, none of them its author's.",
    );
  group.addCommand(showCommand(context, ending));
  group.addCommand(checkCommand(context, ending));
  group.addCommand(publishCommand(context, ending));
  group.addCommand(approveCommand(context, ending));
  group.addCommand(revokeCommand(context, ending));
  return [listCommand(context, ending), group];
}

function listCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ all?: boolean }>(
    {
      usage: "algorithms",
      summary: "the algorithms that may be asked",
      examples: [
        ["algorithms", "What may be asked now"],
        ["algorithms --all", "Those that wait for approval or were revoked, too"],
      ],
      configure: (command) => command.option("--all", "also those that are not approved, or were revoked"),
      run: async (_args, { all }, invocation) => {
        const client = await invocation.client();
        const known = await allAlgorithms(client, problemNotes(invocation.note));
        const shown = known.filter(({ published }) => all === true || published.status === "approved");
        return listed(shown, known.length - shown.length, invocation);
      },
    },
    context,
    ending,
  );
}

function listed(shown: KnownAlgorithm[], left: number, { terminal, paint }: Invocation): Outcome {
  const rows = shown.map(({ published, manifest }) => [
    manifest?.name ?? shortHex(published.hash),
    manifest === undefined ? "(its manifest cannot be had now)" : manifest.title,
    manifest === undefined ? "" : parameterSummary(manifest),
    published.dataClass,
    ...(left > 0 || shown.every((one) => one.published.status === "approved") ? [] : [published.status]),
  ]);
  const hasStatus = rows.some((row) => row.length > 4);
  const columns = ["name", "what it answers", "parameters", "data", ...(hasStatus ? ["status"] : [])];
  const table = renderTable(
    columns.map((title) => ({ title, isWhole: title === "name" })),
    rows,
    terminal.columns,
    paint,
  );
  const hint = [
    left > 0 ? `${left} more wait for approval or were revoked: npx itd algorithms --all.` : "",
    shown.length > 0
      ? `Read one: npx itd algorithm show ${shown[0]!.manifest?.name ?? shown[0]!.published.hash}. Ask it: npx itd query --help.`
      : "",
  ].filter(Boolean);
  const text =
    shown.length === 0
      ? "No algorithm is approved here. Publish one with: npx itd algorithm publish FILE"
      : table;
  return { document: { algorithms: shown.map(algorithmDocument) }, text: [text, ...hint].join("\n") };
}

function showCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "show <hash>",
      summary: "read an algorithm: its text, its charge, and who signed it",
      description: "HASH may be the beginning of a hash, or a name.",
      examples: [["algorithm show union-wage-premium", "By name"]],
      run: async ([text], _options, invocation) => {
        const client = await invocation.client();
        const known = await findAlgorithm(client, text!, false, problemNotes(invocation.note));
        return { document: algorithmDocument(known), text: described(known, client, invocation) };
      },
    },
    context,
    ending,
  );
}

function described({ published, manifest }: KnownAlgorithm, client: Client, invocation: Invocation): string {
  const { paint, terminal } = invocation;
  const lines: string[] = [];
  if (manifest === undefined) {
    lines.push(paint.bold(published.hash), "No directory that answers has its manifest.");
  } else {
    lines.push(`${paint.bold(`${manifest.name}, version ${manifest.version}`)}: ${manifest.title}`, "");
    lines.push(wrapText(manifest.description, terminal.columns), "");
    lines.push(
      ...manifest.sql
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`),
      "",
    );
    for (const [name, parameter] of Object.entries(manifest.parameters)) {
      const domain =
        parameter.type === "integer"
          ? `${parameter.minimum} to ${parameter.maximum}`
          : parameter.values.join(", ");
      const byDefault = parameter.default === undefined ? "" : `, ${parameter.default} if not given`;
      const why = parameter.description === undefined ? "" : ` ${parameter.description}.`;
      lines.push(wrapText(`--param ${name}=  ${domain}${byDefault}.${why}`, terminal.columns, "  "));
    }
    lines.push(
      wrapText(
        `Costs ${algorithmCosts(manifest.microRho)} an answer. For ${manifest.purposes.join(", ")}.`,
        terminal.columns,
      ),
    );
  }
  lines.push(`hash      ${published.hash}`);
  lines.push(`status    ${statusText(published.status, invocation)}`);
  lines.push(`author    ${accountText(client, published.author)}`);
  lines.push(`data      ${published.dataClass}`);
  for (const { vetter, expiresS, withdrawn, counts } of published.approvals) {
    const state = withdrawn ? "withdrawn" : counts ? `until ${timeText(expiresS)}` : "does not count";
    lines.push(`signed    ${accountText(client, vetter)}, ${state}`);
  }
  if (published.approvals.length === 0) lines.push("signed    by nobody yet");
  return lines.join("\n");
}

function statusText(status: string, { paint }: Invocation): string {
  if (status === "approved") return paint.good(status);
  return status === "revoked" ? paint.bad(status) : status;
}

export function algorithmDocument({ published, manifest }: KnownAlgorithm) {
  const { hash, author, dataClass, kind, uri, status, approvals } = published;
  return {
    hash,
    name: manifest?.name ?? null,
    version: manifest?.version ?? null,
    title: manifest?.title ?? null,
    status,
    author,
    dataClass,
    kind,
    uri,
    approvals: approvals.map(({ vetter, expiresS, withdrawn, counts }) => {
      return { vetter, expires: isoTime(expiresS), withdrawn, counts };
    }),
    manifest: manifest ?? null,
  };
}

function parameterSummary({ parameters }: NonNullable<KnownAlgorithm["manifest"]>): string {
  return Object.entries(parameters)
    .map(([name, { default: byDefault }]) => (byDefault === undefined ? name : `${name}=${byDefault}`))
    .join(" ");
}
