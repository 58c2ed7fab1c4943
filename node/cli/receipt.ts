/** `itd receipt verify`: says of each check whether a receipt passes it, against the chain that this client is configured for. */
import { Command } from "commander";
import { completeReceipt } from "../data-sharing/querier.ts";
import { type Receipt, receiptText } from "../data-sharing/receipt.ts";
import { type ReceiptVerdict, readReceipt, verifyReceipt } from "../data-sharing/verify-receipt.ts";
import { TrustedDataError } from "../errors.ts";
import { defineCommand, type Ending, type Invocation, type Outcome } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { accountText } from "./names.ts";
import { widthOf, wrapText } from "./table.ts";

export function receiptCommands(context: Context, ending: Ending): Command {
  const group = new Command("receipt")
    .summary("check receipts")
    .description(
      "A receipt holds all that anyone needs, besides a chain they trust, to check that a question was asked, vetted, charged, answered " +
        "and logged by the rules.",
    );
  group.addCommand(
    defineCommand(
      {
        usage: "verify <file>",
        summary: "check a receipt against the chain; exit code 1 if it is not valid",
        description:
          "Chain and contracts are those of your own configuration, never those that a receipt names. A receipt that is pending is first " +
          "completed from its repository, and the file rewritten.",
        examples: [
          ["receipt verify trips.json", "Each check with what was found"],
          ["receipt verify trips.json --json", "For programs: {valid, checks: [{name, passed, detail}]}"],
        ],
        run: async ([file], _options, invocation) => await verify(file!, invocation),
      },
      context,
      ending,
    ),
  );
  return group;
}

async function verify(file: string, invocation: Invocation): Promise<Outcome> {
  const written = await invocation.terminal.readFile(file);
  const client = await invocation.client();
  const text = await completedText(file, written, client, invocation);
  const verdict = await verifyReceipt(text, client);
  const receipt = readReceipt(text);
  return {
    document: { valid: verdict.valid, checks: verdict.checks },
    text: verdictText(verdict, typeof receipt === "string" ? undefined : receipt, client, invocation),
    exitCode: verdict.valid ? 0 : 1,
  };
}

/** The receipt as it is, or with its anchor if it was pending and its repository has it by now; then the file is rewritten too. */
async function completedText(
  file: string,
  written: string,
  client: Client,
  { terminal, note }: Invocation,
): Promise<string> {
  const receipt = readReceipt(written);
  if (typeof receipt === "string" || receipt.anchor !== null) return written;
  const { repository } = receipt.transcript.request;
  try {
    const peer = await client.directory.entry(repository, "repository");
    if (peer === undefined) {
      note(
        "Note: the receipt is pending, and the chain's directory does not know its repository; it is judged as it is.",
      );
      return written;
    }
    const completed = await completeReceipt(receipt, { peer }, client.peers);
    if (completed === undefined) {
      note(
        "Note: the receipt is pending, and its repository has not anchored the entry yet; try again later.",
      );
      return written;
    }
    const text = receiptText(completed);
    await terminal.writeFile(file, text).then(
      () => note(`The receipt was pending; ${file} now has its anchor.`),
      (error: unknown) => {
        if (!(error instanceof TrustedDataError)) throw error;
        note(
          `Note: the receipt was pending and is complete now, but ${file} cannot be rewritten. (${error.code})`,
        );
      },
    );
    return text;
  } catch (error) {
    if (!(error instanceof TrustedDataError) || error.code.startsWith("chain_")) throw error;
    note(
      `Note: the receipt is pending and cannot be completed now; it is judged as it is. ${error.message} (${error.code})`,
    );
    return written;
  }
}

function verdictText(
  { valid, checks }: ReceiptVerdict,
  receipt: Receipt | undefined,
  client: Client,
  { paint, terminal }: Invocation,
): string {
  const failed = checks.filter(({ passed }) => !passed);
  const nameWidth = Math.max(...checks.map(({ name }) => widthOf(name)));
  const lines = checks.map(({ name, passed, detail }) => {
    const mark = passed ? paint.good("✓") : paint.bad("✗");
    const indent = " ".repeat(nameWidth + 4);
    const wrapped = wrapText(named(client, detail), terminal.columns, indent).trimStart();
    return `${mark} ${name.padEnd(nameWidth)}  ${wrapped}`;
  });
  const about =
    receipt === undefined
      ? []
      : [
          `${accountText(client, receipt.transcript.request.querier)} asked ${accountText(client, receipt.transcript.request.repository)}`,
          "",
        ];
  const isPendingOnly =
    receipt?.anchor === null && failed.every(({ detail }) => detail.startsWith("pending"));
  const verdict = valid
    ? paint.good(`Valid: all ${checks.length} checks pass.`)
    : isPendingOnly
      ? paint.bad(
          "Not valid yet: the entry is not anchored. Verify again once its repository can be reached.",
        )
      : paint.bad(`Not valid: ${failed.map(({ name }) => name).join(", ")}. Do not rely on it.`);
  const meaning = valid
    ? "The rules were kept, as far as documents and chain can show. Whether the rows were true to begin with, no receipt can show."
    : "";
  return [
    ...about,
    ...lines,
    "",
    verdict,
    ...(meaning === "" ? [] : [wrapText(meaning, terminal.columns)]),
  ].join("\n");
}

/** Puts names beside the accounts in a sentence. */
function named(client: Client, sentence: string): string {
  return sentence.replace(/\b0x[0-9a-f]{40}\b/g, (address) => accountText(client, address));
}
