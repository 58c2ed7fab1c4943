/** `itd datasets` and `itd dataset add|list`: finding data, and connecting one's own. */
import { Command } from "commander";
import { type Discovery, discoverDatasets } from "../data-sharing/discover.ts";
import { defineCommand, type Ending, type Invocation } from "./command.ts";
import type { Context } from "./context.ts";
import { addCommand } from "./dataset-add.ts";
import { ownListCommand } from "./dataset-list.ts";
import { renderTable, wrapText } from "./table.ts";

/** Narrower terminals leave out what `--json` has anyway. */
const wideColumns = 110;

export function datasetCommands(context: Context, ending: Ending): Command[] {
  const group = new Command("dataset")
    .summary("connect your own data, and see what is connected")
    .description(
      "Data stays in the node's own folder on this machine; what is declared about it can be seen by anyone.",
    );
  group.addCommand(addCommand(context, ending)).addCommand(ownListCommand(context, ending));
  return [listCommand(context, ending), group];
}

function listCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ search?: string }>(
    {
      usage: "datasets",
      summary: "what data there is, whose, and for which purposes",
      description:
        "Directories are asked side by side; what they say counts only if its hash is on the chain.",
      examples: [
        ["datasets", "All of them"],
        ["datasets --search wages", "Those whose name, title, description or class holds these words"],
      ],
      configure: (command) => command.option("--search <text>", "words that must all occur"),
      run: async (_args, { search }, invocation) => {
        const client = await invocation.client();
        const discovery = await discoverDatasets(search?.trim() ?? "", client);
        for (const { message, code } of discovery.problems) invocation.note(`Note: ${message} (${code})`);
        return {
          document: { datasets: discovery.offers.map(offerDocument), problems: discovery.problems },
          text: listed(discovery, search, invocation),
        };
      },
    },
    context,
    ending,
  );
}

function listed(
  { offers, problems }: Discovery,
  search: string | undefined,
  { terminal, paint }: Invocation,
): string {
  if (offers.length === 0) {
    if (search !== undefined)
      return `No dataset matches ${JSON.stringify(search)}; npx itd datasets shows all.`;
    return problems.length > 0 ? "No directory can be read now; see above." : "No dataset is offered yet.";
  }
  const isWide = terminal.columns >= wideColumns;
  const rows = offers.map(({ publisher, manifest }) => [
    manifest.name,
    `${manifest.title}${manifest.synthetic && !/synthetic/i.test(manifest.title) ? " (synthetic)" : ""}`,
    publisher,
    manifest.dataClass,
    ...(isWide ? [Object.keys(manifest.columns).join(" ")] : []),
  ]);
  const titles = ["name", "what it is", "whose", "class", ...(isWide ? ["columns"] : [])];
  const purposes = [...new Set(offers.flatMap(({ manifest }) => manifest.purposes))].sort();
  return [
    renderTable(
      titles.map((title) => ({ title, isWhole: title === "name" })),
      rows,
      terminal.columns,
      paint,
    ),
    wrapText(`Purposes that some of them permit: ${purposes.join(", ")}.`, terminal.columns),
    "What may be asked of them: npx itd algorithms",
  ].join("\n");
}

function offerDocument({ dataset, repository, publisher, peer, manifest }: Discovery["offers"][number]) {
  const { name, title, synthetic, dataClass, purposes } = manifest;
  return {
    id: dataset,
    name,
    title,
    publisher,
    repository,
    endpoint: peer.endpoint,
    synthetic,
    dataClass,
    purposes,
    manifest,
  };
}
