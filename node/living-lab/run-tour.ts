/** The tour: asks each algorithm, shows the safe answers, waits until they are anchored, and checks every receipt as anyone would. */
import type { Ended } from "../data-sharing/querier.ts";
import { presentAnswer } from "../data-sharing/release/present.ts";
import type { PresentedAnswer } from "../data-sharing/release/presented-answer.ts";
import { transcriptHash } from "../data-sharing/transcript.ts";
import {
  askQuestion,
  type CheckedReceipt,
  type LabAnswer,
  type LabQuestion,
  settleReceipt,
} from "./ask-questions.ts";
import { authorId, organisation, organisations } from "./organisations.ts";
import type { LabOutput, LabParties } from "./ports.ts";
import type { VettedAlgorithm } from "./publish-algorithms.ts";
import {
  algorithmLines,
  anchorLines,
  councilLines,
  nextLines,
  onceLines,
  openingLines,
  questionLines,
  receiptLines,
  refusalLines,
  repeatLines,
} from "./tour.ts";

/** A batch goes out every few seconds; a minute covers a slow machine. */
const anchorMsMax = 60_000;
const purpose = "dpv:AcademicResearch";
/** Granted for none of the lab's data. */
const forbiddenPurpose = "dpv:Marketing";

export interface TourParts {
  parties: LabParties;
  algorithms: readonly VettedAlgorithm[];
  output: LabOutput;
  /** Keeps a receipt under a name and gives its path. */
  writeReceipt: (name: string, text: string) => Promise<string>;
  /** What commands need to find this lab; empty where it is in the usual place. */
  stateOption: string;
  /** Whether the lab goes on after the tour, so that commands find it. */
  staysUp: boolean;
}

export interface TourDocument {
  organisations: { id: string; title: string; roles: readonly string[]; account: string }[];
  queries: {
    algorithm: string;
    dataset: string;
    answer: Record<string, string | number | null>[];
    receipt: string;
    anchored: boolean;
    verified: boolean;
  }[];
}

export async function tour(parts: TourParts): Promise<TourDocument> {
  const { parties, algorithms, output } = parts;
  const party = parties[authorId];
  const { title: querier } = organisation(authorId);
  const council = await party.council.council();
  output.tell("The Living Lab", openingLines(String(party.deployment.chainId)));
  output.tell("Who decides", councilLines(council.members.length, council.threshold));
  const summaries = algorithms.map(({ manifest, approvedBy }) => ({
    name: manifest.name,
    title: manifest.title,
    approvedBy,
  }));
  output.tell("What may be asked", algorithmLines(querier, summaries));

  const answers: LabAnswer[] = [];
  for (const [i, { manifest }] of algorithms.entries()) {
    const question: LabQuestion = {
      algorithm: manifest,
      search: manifest.dataClass,
      parameters: {},
      purpose,
    };
    const answer = await askQuestion(question, party);
    answers.push(answer);
    const asked = answer.asked.answered.map(({ offer }) => ({
      publisher: offer.publisher,
      dataset: offer.manifest.name,
    }));
    output.tell(`Question ${i + 1}`, questionLines(querier, { algorithm: summaries[i]!, purpose, asked }));
    for (const { offer, code, message } of answer.asked.failures) {
      output.tell("", [`${offer.publisher} did not answer (${code}): ${message}`]);
    }
    if (answer.presented === undefined) continue;
    const parts = answer.asked.answered.map(({ plan, offer }) => ({ plan, manifest: offer.manifest }));
    output.answer(manifest.title, answer.presented, parts);
  }
  const extra = await showRules(answers[0]!, parties, output);
  output.progress("waiting for the next batches on the chain");
  const ended = [...answers.flatMap(({ asked }) => asked.answered), ...extra];
  const queries = await settle(ended, parts);
  return { organisations: await listOrganisations(parties), queries };
}

/** The same question again, and one for a purpose that nobody permits. */
async function showRules(first: LabAnswer, parties: LabParties, output: LabOutput): Promise<Ended[]> {
  const party = parties[authorId];
  const again = await askQuestion(first.question, party);
  const bytes = ({ asked }: LabAnswer) =>
    asked.answered
      .map(({ transcript }) => transcript.answer)
      .sort()
      .join();
  output.tell("The same question again", repeatLines(bytes(again) === bytes(first)));
  const refused = await askQuestion({ ...first.question, purpose: forbiddenPurpose }, party);
  const refusals = refused.asked.failures.map(({ offer, code, message }) => ({
    publisher: offer.publisher,
    code,
    message,
  }));
  output.tell("A question against the rules", refusalLines(`the same for ${forbiddenPurpose}`, refusals));
  return [...again.asked.answered, ...refused.asked.failures.flatMap(({ ended }) => ended ?? [])];
}

async function settle(
  all: readonly Ended[],
  { parties, output, writeReceipt, stateOption, staysUp }: TourParts,
): Promise<TourDocument["queries"]> {
  const party = parties[authorId];
  const deadlineMs = party.clock.nowMs() + anchorMsMax;
  const queries: TourDocument["queries"] = [];
  const settled: { path: string; checked: CheckedReceipt }[] = [];
  for (const [i, ended] of all.entries()) {
    const checked = await settleReceipt(ended, party, deadlineMs);
    const { transcript, plan, answer, offer } = ended;
    const name = await algorithmName(ended, parties);
    const path = await writeReceipt(
      `${transcript.timeS}-${i + 1}-${name}-${offer.manifest.name}`,
      checked.text,
    );
    settled.push({ path, checked });
    if (plan === null || answer === null) continue;
    queries.push({
      algorithm: name,
      dataset: offer.manifest.name,
      answer: rowsOf(presentAnswer(plan, answer)),
      receipt: path,
      anchored: checked.receipt.anchor !== null,
      verified: checked.verdict.valid,
    });
  }
  const [example] = settled;
  if (example !== undefined) {
    const { receipt, verdict } = example.checked;
    const hash = transcriptHash(receipt.transcript);
    output.tell("On the chain", anchorLines(hash, receipt.anchor?.blockNumber ?? 0));
    output.tell("Anyone can check", [
      ...receiptLines(example.path, verdict.checks),
      `${settled.filter(({ checked }) => checked.verdict.valid).length} of ${settled.length} receipts are valid.`,
    ]);
    output.tell("", staysUp ? nextLines(example.path, stateOption) : onceLines(stateOption));
  }
  return queries;
}

async function algorithmName({ transcript }: Ended, parties: LabParties): Promise<string> {
  const { peers, directory } = parties[authorId];
  for (const entry of await directory.entries("directory")) {
    const text = await peers.manifest(entry, transcript.request.algorithm).catch(() => undefined);
    if (text !== undefined) return (JSON.parse(text) as { name: string }).name;
  }
  return transcript.request.algorithm;
}

/** Rows as objects: numbers for numbers, text for keys and dates, null for what is suppressed. */
export function rowsOf({ columns, rows }: PresentedAnswer): Record<string, string | number | null>[] {
  return rows.map(({ values }) =>
    Object.fromEntries(
      columns.map(({ name, type }, i) => {
        const value = values[i] ?? null;
        return [name, type !== "number" || value === null ? value : Number(value)];
      }),
    ),
  );
}

async function listOrganisations(parties: LabParties): Promise<TourDocument["organisations"]> {
  return await Promise.all(
    organisations.map(async ({ id, title, roles }) => {
      return { id, title, roles, account: (await parties[id].signer()).address };
    }),
  );
}
