/**
 * The words of the tour through the Living Lab, for somebody who has never seen it: at each step what happens, who sees what, and what
 * to try next. Plain data in, lines out; nothing here asks, signs or checks anything.
 */
import type { ReceiptCheck } from "../data-sharing/receipt-checks.ts";
import type { Organisation } from "./organisations.ts";

export interface TourDataset {
  name: string;
  title: string;
  synthetic: boolean;
  people: number;
  rows: number;
}

export interface TourAlgorithm {
  name: string;
  title: string;
  /** Of the organisations that approved it. */
  approvedBy: readonly string[];
}

export interface TourQuestion {
  algorithm: TourAlgorithm;
  purpose: string;
  /** Titles of the repositories that are asked, and the names of their datasets. */
  asked: readonly { publisher: string; dataset: string }[];
}

export interface TourRefusal {
  publisher: string;
  code: string;
  message: string;
}

export interface TourCharge {
  publisher: string;
  /** 0 for an answer that was there already. */
  chargeMicroRho: string;
  /** How often the same querier may still ask such a question. */
  answersLeft: string;
}

/** Before the first step: what this is. */
export function openingLines(chainId: string): string[] {
  return [
    "The Living Lab: five organisations, each with a node and keys of its own, and a chain that none of them owns.",
    "Data stays where it is. Questions travel to it, only safe answers come back, and what happened can be checked afterwards.",
    `All of it runs on this machine (chain ${chainId}); between machines only the configuration differs.`,
  ];
}

/** Step 1: who is here. */
export function organisationLines(
  organisations: readonly Organisation[],
  datasets: readonly TourDataset[],
): string[] {
  return organisations.flatMap((one) => [
    `${one.title} (${one.roles.join(", ")}). ${one.description}`,
    ...one.datasets.flatMap((name) => datasets.filter((dataset) => dataset.name === name)).map(datasetLine),
  ]);
}

/** Step 2: why the council's members had to agree before anything could run. */
export function councilLines(members: number, threshold: number): string[] {
  return [
    `${members} organisations form the council. ${threshold} of them had to agree to certify each member; none can do so alone.`,
    "Each certificate names what its holder may do (answer, ask, vet, run a directory) and until when. All of it is on the chain.",
  ];
}

/** Step 3: what may be asked. */
export function algorithmLines(author: string, algorithms: readonly TourAlgorithm[]): string[] {
  return [
    `${author} wrote ${algorithms.length} algorithms. One may run only after vetters of two independent organisations have signed it:`,
    ...algorithms.map(({ name, title, approvedBy }) => `  ${name}: ${title} (${approvedBy.join(", ")})`),
  ];
}

/** Step 4: a question is on its way. */
export function questionLines(querier: string, { algorithm, purpose, asked }: TourQuestion): string[] {
  const places = asked.map(({ publisher, dataset }) => `${publisher} (${dataset})`).join(" and ");
  return [
    `${querier} asks "${algorithm.title}" for the purpose ${purpose}.`,
    `A directory says who has such data: ${places}. Each checks the rules by itself and may refuse by itself.`,
    `${querier} never sees a row. ${asked.length > 1 ? "Nor do they see each other's rows." : "Nobody else sees one either."}`,
  ];
}

/** Step 5: what came back, below or above the table of numbers. */
export function answerLines(repositories: number, charges: readonly TourCharge[]): string[] {
  return [
    repositories > 1
      ? `The answers of ${repositories} repositories, put together here. Noise was added at each before anything left it.`
      : "Noise was added before anything left the repository.",
    "± says how far the noise may have moved a number, 19 times in 20: nobody can tell whether any one person is in the data.",
    "A group of too few people is not shown.",
    ...charges.map(chargeLine),
  ];
}

/** Step 6: the same question again. */
export function repeatLines(isSame: boolean): string[] {
  return isSame
    ? [
        "Asked again, the repositories gave the same bytes, free of charge:",
        "new noise for an old question would let somebody average it away.",
      ]
    : [
        "Asked again, the numbers differ: data or consent moved to a new version in between, and new noise was paid for.",
      ];
}

/** Step 7: a question that breaks a rule. */
export function refusalLines(attempt: string, refusals: readonly TourRefusal[]): string[] {
  return [
    `Now something that is not allowed: ${attempt}.`,
    ...refusals.map(({ publisher, code, message }) => `  ${publisher} refuses (${code}): ${message}`),
    "Refusals are signed, logged and anchored as answers are: they too can be checked.",
  ];
}

/** Step 8: both logs, one hash. */
export function anchorLines(transcript: string, block: number): string[] {
  return [
    `Both sides wrote down the same hash of what was asked and answered (${shortened(transcript)}) and signed it.`,
    `The root of the log is on the chain since block ${block}. The chain shows that something happened, not what:`,
    "only the two parties can open the entry.",
  ];
}

/** Step 9: the receipt. */
export function receiptLines(file: string, checks: readonly ReceiptCheck[]): string[] {
  const failed = checks.filter(({ passed }) => !passed);
  const verdict =
    failed.length === 0
      ? `The receipt (${file}) passes all ${checks.length} checks.`
      : `The receipt (${file}) fails ${failed.length} of ${checks.length} checks: do not rely on it.`;
  return [
    verdict,
    ...failed.map(({ name, detail }) => `  ${name}: ${detail}`),
    "It shows that the rules were kept. Whether the rows were true to begin with, no receipt can show.",
  ];
}

/** After the last step of a tour that ends the lab. */
export function onceLines(option = ""): string[] {
  return [
    "The lab stops now, and what it did is kept. Start it again and leave it running to ask questions of your own:",
    `  npx itd lab${option}`,
  ];
}

/** After the last step: what to type. The lab must be running; `option` names its folder where that is not the usual one. */
export function nextLines(receiptFile: string, option = ""): string[] {
  return [
    "The lab is up until Ctrl-C. Try next, in another terminal:",
    `  npx itd datasets${option}`,
    `  npx itd algorithms${option}`,
    `  npx itd query --dataset trips --algorithm trips-by-hour --param mode=bicycle --purpose dpv:AcademicResearch${option}`,
    `  npx itd query --dataset wages --algorithm union-wage-premium --param minimum_age=40 --purpose dpv:AcademicResearch${option}`,
    `  npx itd receipt verify ${receiptFile}${option}`,
  ];
}

function datasetLine({ name, title, synthetic, people, rows }: TourDataset): string {
  const kind = synthetic ? "synthetic: nobody in it exists" : "real people";
  return `  ${name}: ${title}. ${people} people, ${rows} rows, ${kind}.`;
}

function chargeLine({ publisher, chargeMicroRho, answersLeft }: TourCharge): string {
  const cost =
    chargeMicroRho === "0"
      ? "free, as the answer was there already"
      : `${rhoText(chargeMicroRho)} rho of privacy budget`;
  return `  ${publisher}: ${cost}; ${answersLeft} more such answers are left.`;
}

/** Millionths as a decimal number: 500000 is 0.5. */
function rhoText(microRho: string): string {
  const digits = microRho.padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
}

function shortened(hash: string): string {
  return `${hash.slice(0, 10)}...`;
}
