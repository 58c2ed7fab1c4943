/** `itd audit ...`: what parties anchored, and whether what they show of their logs is what stands on the chain. */
import { Command } from "commander";
import { type BudgetLine, decodeBudgetLines } from "../ledger/budget-line.ts";
import type { AnchoredBatch } from "../ledger/ports.ts";
import { auditCheckCommand } from "./audit-check.ts";
import { anchoredBatch, entryOf, type Party, parties, shownLeaves } from "./audit-read.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { problemNotes } from "./find-algorithm.ts";
import { accountFrom, accountText, rhoText, shortHex } from "./names.ts";
import { renderTable, wrapText } from "./table.ts";

const batchesMax = 1_000;
/** Narrower terminals would break a root in two. */
const wholeRootColumns = 102;

export function auditCommands(context: Context, ending: Ending): Command {
  const group = new Command("audit")
    .summary("what was anchored on the chain, and whether the logs still say the same")
    .description(
      "Every repository anchors the root of its log on a fixed schedule, empty batches too. The chain shows that something happened, not " +
        "what: only the two parties of a question can open its entry.",
    );
  group.addCommand(listCommand(context, ending));
  group.addCommand(showCommand(context, ending));
  group.addCommand(auditCheckCommand(context, ending));
  return group;
}

function listCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ last: string; all?: boolean }>(
    {
      usage: "list [party]",
      summary: "anchored batches, newest first; without a party those of all repositories",
      examples: [
        ["audit list", "The last batches of every repository"],
        ["audit list bank --last 50", "Of one party"],
      ],
      configure: (command) =>
        command
          .option("--last <number>", "how many batches of each", "10")
          .option("--all", "empty batches too, which most are"),
      run: async ([party], { last, all }, invocation) => {
        const count = lastFrom(last, batchesMax);
        const client = await invocation.client();
        const chosen = await parties(client, party);
        const lists = await Promise.all(
          chosen.map(async (one) => ({
            party: one,
            batches: await latestBatches(client, one, count, all === true),
          })),
        );
        return {
          document: {
            parties: lists.map(({ party: { address, name }, batches }) => ({
              party: address,
              name,
              batches: batches.map(batchDocument),
            })),
          },
          text: lists.map((list) => listed(list.party, list.batches, client, invocation)).join("\n\n"),
        };
      },
    },
    context,
    ending,
  );
}

function showCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "show <party> <batch>",
      summary: "one batch: what is on the chain, its budgets, and the leaves that its party shows",
      description:
        "A leaf is the hash of an entry that both sides signed; a receipt proves which one is its own.",
      examples: [["audit show bank 12", "Batch 12 of the lab's bank"]],
      run: async ([text, number], _options, invocation) => {
        const client = await invocation.client();
        const party = accountFrom(client, text!);
        const batch = await anchoredBatch(client, party, sequenceFrom(number!));
        const onProblem = problemNotes(invocation.note);
        const entry = await entryOf(client, party);
        const leaves = entry === undefined ? undefined : await shownLeaves(client, entry, batch, onProblem);
        return {
          document: { party, ...batchDocument(batch), leaves: leaves?.leaves ?? null },
          text: shown(batch, leaves?.leaves, client, invocation),
        };
      },
    },
    context,
    ending,
  );
}

/** From the chain alone, so that a party that is down or lies has no say in it. */
async function latestBatches(
  client: Client,
  { address }: Party,
  count: number,
  withEmpty: boolean,
): Promise<AnchoredBatch[]> {
  const latest = await client.chain.latestAnchor(address);
  const found: AnchoredBatch[] = [];
  // Most batches are empty; looking for those that are not ends somewhere.
  const oldest = Math.max(1, (latest?.sequence ?? 0) - batchesMax + 1);
  for (let sequence = latest?.sequence ?? 0; sequence >= oldest && found.length < count; sequence--) {
    const batch = sequence === latest?.sequence ? latest : await client.chain.anchorOf(address, sequence);
    if (batch !== undefined && (withEmpty || batch.entryCount > 0)) found.push(batch);
  }
  return found;
}

function listed(
  { address }: Party,
  batches: readonly AnchoredBatch[],
  client: Client,
  { terminal, paint }: Invocation,
): string {
  const title = paint.bold(accountText(client, address));
  if (batches.length === 0) return `${title}\nNo batch with entries; --all shows empty ones too.`;
  const rows = batches.map(({ sequence, entryCount, blockNumber, root }) => [
    String(sequence),
    String(entryCount),
    String(blockNumber),
    terminal.columns < wholeRootColumns ? shortHex(root) : root,
  ]);
  const columns = [
    { title: "batch", align: "right" as const },
    { title: "entries", align: "right" as const, isWhole: true },
    { title: "block", align: "right" as const },
    { title: "root" },
  ];
  return `${title}\n${renderTable(columns, rows, terminal.columns, paint)}`;
}

function shown(
  batch: AnchoredBatch,
  leaves: readonly string[] | undefined,
  client: Client,
  { terminal }: Invocation,
): string {
  const budgets = budgetsOf(batch);
  return [
    `Batch ${batch.sequence} of ${accountText(client, batch.party)}, in block ${batch.blockNumber}`,
    `root      ${batch.root}`,
    `previous  ${batch.previousLink}`,
    ...budgets.map(
      ({ dataset, spent, reserved }) =>
        `budget    dataset ${shortHex(dataset)}: ${rhoText(spent)} rho spent, ${rhoText(reserved)} rho reserved`,
    ),
    leaves === undefined
      ? `entries   ${batch.entryCount}; its party does not show them now`
      : `entries   ${batch.entryCount}${batch.entryCount === 0 ? "" : ", the leaves of the tree:"}`,
    ...(leaves ?? []).map((leaf, i) => `  ${i + 1}. ${leaf}`),
    wrapText("Whether the leaves make the root: npx itd audit check", terminal.columns),
  ].join("\n");
}

/** Lines of datasets; an empty line only names the process that closed the batch. */
function budgetsOf({ budgets }: Pick<AnchoredBatch, "budgets">): BudgetLine[] {
  return (decodeBudgetLines(budgets) ?? []).filter(({ spent, reserved }) => spent + reserved > 0n);
}

export function batchDocument(batch: AnchoredBatch) {
  const { sequence, entryCount, blockNumber, root, previousLink, link, budgets } = batch;
  return {
    sequence,
    entryCount,
    blockNumber,
    root,
    previousLink,
    link,
    budgets: budgetsOf({ budgets }).map(({ dataset, spent, reserved }) => {
      return { dataset, spentMicroRho: spent.toString(), reservedMicroRho: reserved.toString() };
    }),
  };
}

function lastFrom(text: string, max: number): number {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= max) return Number(text);
  throw usageError(`--last takes a whole number from 1 to ${max}.`);
}

function sequenceFrom(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usageError(`A batch has a number from 1 on, not ${JSON.stringify(text)}.`);
}
