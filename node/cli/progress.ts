/** How far each repository is, on stderr: bars on a terminal, else one line for each end. */
import { MultiBar, type SingleBar } from "cli-progress";
import type { DatasetOffer } from "../data-sharing/discover.ts";
import type { Stage } from "../data-sharing/querier.ts";
import type { Terminal } from "./context.ts";

type Reached = Stage | "failed";

const words: Record<Reached, string> = {
  authorise: "asking for permission",
  answer: "computing inside",
  countersign: "signing the log",
  done: "answered",
  failed: "no answer",
};
const steps: Record<Reached, number> = { authorise: 1, answer: 2, countersign: 3, done: 4, failed: 4 };

export interface Progress {
  onStage(offer: DatasetOffer, stage: Reached): void;
  stop(): void;
}

export function showProgress(offers: readonly DatasetOffer[], terminal: Terminal): Progress {
  return terminal.isInteractive ? bars(offers) : plainLines(terminal);
}

function bars(offers: readonly DatasetOffer[]): Progress {
  const multi = new MultiBar({
    stream: process.stderr,
    format: "{title} [{bar}] {stage}",
    barsize: 16,
    hideCursor: true,
    clearOnComplete: false,
    emptyOnZero: true,
  });
  const titles = offers.map(({ publisher, manifest }) => `${publisher} (${manifest.name})`);
  const width = Math.max(...titles.map((title) => title.length));
  const shown = new Map<DatasetOffer, SingleBar>();
  for (const [i, offer] of offers.entries())
    shown.set(offer, multi.create(4, 0, { title: titles[i]!.padEnd(width), stage: "reading the plan" }));
  return {
    onStage: (offer, stage) => shown.get(offer)?.update(steps[stage], { stage: words[stage] }),
    stop: () => multi.stop(),
  };
}

function plainLines(terminal: Terminal): Progress {
  return {
    onStage: ({ publisher, manifest }, stage) => {
      if (stage === "done" || stage === "failed")
        terminal.err(`${publisher} (${manifest.name}): ${stage === "done" ? "has replied" : words.failed}\n`);
    },
    stop: () => undefined,
  };
}
