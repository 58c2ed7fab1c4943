/** `itd audit check`: fetches the leaves of batches again, computes their roots, and compares all with the chain. */
import type { Command } from "commander";
import { TrustedDataError } from "../errors.ts";
import { batchFaults } from "../ledger/published-log.ts";
import { entryOf, type Party, parties, shownLeaves } from "./audit-read.ts";
import { defineCommand, type Ending, usageError } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { problemNotes } from "./find-algorithm.ts";
import { accountText } from "./names.ts";

interface Checked {
  party: Party;
  /** Batches that were compared, and entries in them. */
  batches: number;
  entries: number;
  faults: { sequence: number; fault: string }[];
  /** Why nothing could be compared. */
  unreachable: string | null;
}

const batchesMax = 10_000;

export function auditCheckCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ last: string }>(
    {
      usage: "check [party]",
      summary: "recompute the roots of batches from what their parties show; exit code 1 if any differs",
      description:
        "A log that was altered after it was anchored, in any entry, fails. So does a party that does not show its log.",
      examples: [
        ["audit check", "The last 20 batches of every repository"],
        ["audit check bank --last 1000", "More of one"],
      ],
      configure: (command) => command.option("--last <number>", "how many batches of each", "20"),
      run: async ([text], { last }, invocation) => {
        if (!/^[1-9]\d{0,4}$/.test(last) || Number(last) > batchesMax)
          throw usageError(`--last takes a whole number from 1 to ${batchesMax}.`);
        const client = await invocation.client();
        const onProblem = problemNotes(invocation.note);
        const chosen = await parties(client, text);
        const checked = await Promise.all(
          chosen.map((party) => checkParty(client, party, Number(last), onProblem)),
        );
        const passed = checked.every(
          ({ faults, unreachable }) => faults.length === 0 && unreachable === null,
        );
        return {
          document: {
            passed,
            parties: checked.map(({ party: { address, name }, ...rest }) => ({
              party: address,
              name,
              ...rest,
            })),
          },
          text:
            checked.flatMap((one) => linesOf(one, client, invocation.paint)).join("\n") ||
            "Nobody anchors yet.",
          exitCode: passed ? 0 : 1,
        };
      },
    },
    context,
    ending,
  );
}

async function checkParty(
  client: Client,
  party: Party,
  last: number,
  onProblem: (error: unknown) => void,
): Promise<Checked> {
  const checked: Checked = { party, batches: 0, entries: 0, faults: [], unreachable: null };
  const [latest, peer] = await Promise.all([
    client.chain.latestAnchor(party.address),
    entryOf(client, party.address),
  ]);
  if (latest === undefined) return checked;
  if (peer === undefined)
    return { ...checked, unreachable: "the chain's directory does not know where it is" };
  for (let sequence = latest.sequence; sequence >= 1 && sequence > latest.sequence - last; sequence--) {
    const onChain =
      sequence === latest.sequence ? latest : await client.chain.anchorOf(party.address, sequence);
    if (onChain === undefined)
      throw new TrustedDataError("log_altered", `The chain lost batch ${sequence} of ${party.address}.`, {
        party: party.address,
      });
    let problem: unknown;
    const found = await shownLeaves(client, peer, onChain, (error) => {
      problem = error;
    });
    if (found !== undefined) {
      checked.batches++;
      checked.entries += found.leaves.length;
      for (const fault of batchFaults(found.batch, found.leaves, onChain))
        checked.faults.push({ sequence, fault });
    } else if (problem instanceof TrustedDataError && problem.code === "not_found") {
      checked.faults.push({ sequence, fault: "its party says that there is no such batch" });
    } else {
      onProblem(problem);
      return { ...checked, unreachable: "it does not show its log" };
    }
  }
  return checked;
}

function linesOf(
  { party, batches, entries, faults, unreachable }: Checked,
  client: Client,
  paint: { good(text: string): string; bad(text: string): string },
): string[] {
  const who = accountText(client, party.address);
  const what = `${batches} ${batches === 1 ? "batch" : "batches"} with ${entries} ${entries === 1 ? "entry" : "entries"}`;
  if (unreachable !== null) return [paint.bad(`✗ ${who}: ${unreachable}; ${what} could be compared.`)];
  if (faults.length === 0) return [paint.good(`✓ ${who}: ${what}, as anchored.`)];
  return [
    paint.bad(`✗ ${who}: the log is not what was anchored. Do not rely on what it says.`),
    ...faults.map(({ sequence, fault }) => `    batch ${sequence}: ${fault}`),
  ];
}
