/** The questions of the tour: who is asked what, and what came back. */
import { type AskedAll, askAll } from "../data-sharing/ask-all.ts";
import { discoverDatasets } from "../data-sharing/discover.ts";
import type { AlgorithmManifest } from "../data-sharing/manifests/algorithm-manifest.ts";
import { completeReceipt, type Ended, Querier } from "../data-sharing/querier.ts";
import type { Parameters } from "../data-sharing/question-request.ts";
import { type Receipt, receiptText } from "../data-sharing/receipt.ts";
import type { PresentedAnswer } from "../data-sharing/release/presented-answer.ts";
import { presentTogether } from "../data-sharing/release/side-by-side.ts";
import { type ReceiptVerdict, verifyReceipt } from "../data-sharing/verify-receipt.ts";
import type { LabParty } from "./ports.ts";

export interface LabQuestion {
  algorithm: AlgorithmManifest;
  /** What datasets are searched for. */
  search: string;
  parameters: Parameters;
  purpose: string;
}

export interface LabAnswer {
  question: LabQuestion;
  asked: AskedAll;
  presented: PresentedAnswer | undefined;
}

export interface CheckedReceipt {
  ended: Ended;
  receipt: Receipt;
  /** The receipt's one text. */
  text: string;
  verdict: ReceiptVerdict;
}

const pollMs = 200;

export async function askQuestion(question: LabQuestion, party: LabParty): Promise<LabAnswer> {
  const discovery = await discoverDatasets(question.search, party);
  const offers = discovery.offers.filter(
    ({ manifest: { dataClass, table } }) =>
      dataClass === question.algorithm.dataClass && table === question.algorithm.table,
  );
  const querier = new Querier({ ...party, signer: await party.signer() });
  const asked = await askAll(querier, question, offers);
  const answers = asked.answered.map(({ offer, plan, answer }) => {
    return { publisher: offer.publisher, plan: plan!, released: answer! };
  });
  return { question, asked, presented: answers.length === 0 ? undefined : presentTogether(answers) };
}

/** Waits until the entry is anchored, at most until `deadlineMs`, and checks the receipt as anyone would. */
export async function settleReceipt(
  ended: Ended,
  party: LabParty,
  deadlineMs: number,
): Promise<CheckedReceipt> {
  let receipt = ended.receipt;
  while (receipt.anchor === null && party.clock.nowMs() < deadlineMs) {
    receipt = (await completeReceipt(receipt, ended.offer, party.peers)) ?? receipt;
    if (receipt.anchor === null) await party.clock.sleep(pollMs);
  }
  const text = receiptText(receipt);
  return { ended, receipt, text, verdict: await verifyReceipt(text, party) };
}
