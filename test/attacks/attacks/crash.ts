/**
 * Between charge and reply. The charge has to stand before the plan runs: it is watched in the budget statement while a slow question runs.
 * And a daemon that is killed at any moment of it gives, when it is back, one answer to the token, paid for, and never another.
 */
import { randomInt } from "node:crypto";
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import { until } from "../../support/https-call.ts";
import type { WireQuestion } from "../../support/wire-question.ts";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleDataset } from "../support/cells.ts";
import type { Daemon } from "../support/daemon.ts";
import { replyOf } from "../support/reply.ts";
import { slowCount } from "../support/slow-question.ts";

const microRho = 1_000;
const rows = 100_000;
/** Slow questions at once, and how often. */
const together = 8;
const watches = 2;
const question = slowCount("attack-crash", microRho);

export const crash: Attack = {
  name: "crash",
  what: "the budget watched while a plan runs, and SIGKILL between charge and reply",
  bound: "answers changed or unpaid: 0; charges show in the first half of slow questions",
  isPatient: true,
  async run(target, size) {
    const rounds = size === "fast" ? 1 : 12;
    const daemon = await target.startDaemon();
    const people = Array.from({ length: rows }, () => ({ cell: 0, value: 1 }));
    const budget = {
      totalMicroRho: String(10_000 * microRho),
      perQuerierMicroRho: String(10_000 * microRho),
      reservedMicroRho: String(100 * microRho),
    };
    const offer = await daemon.addDataset(peopleDataset(people, { cells: 1, over: { budget } }));
    await daemon.field.publish(question);
    const watched = [];
    for (let watch = 0; watch < watches; watch++) watched.push(await watchedCharges(daemon, offer));
    // A busy machine may delay what is seen once.
    const share = Math.min(...watched.map((one) => one.share));
    const tookMs = Math.min(...watched.map((one) => one.tookMs));
    let [wrong, charged] = [0, BigInt(watches * together * microRho)];
    for (let round = 0; round < rounds; round++) {
      const { asking, token } = await authorised(daemon, offer);
      const sent = daemon.answer(asking, token).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, randomInt(Math.ceil((2 * tookMs) / together))));
      await daemon.kill();
      const before = await sent;
      await daemon.start();
      const after = await until(async () => {
        const reply = await daemon.answer(asking, token);
        return reply.status === 200 && reply;
      }, "the question is answered after the crash");
      const again = await daemon.answer(asking, token);
      charged += replyOf(after).chargeMicroRho;
      if (before?.status === 200 && before.text !== after.text) wrong++;
      if (again.text !== after.text) wrong++;
      if ((await daemon.spent(offer)) < charged) wrong++;
    }
    await daemon.stop();
    return atMost(
      wrong + (share > 0.5 ? 1 : 0),
      0,
      "failures",
      `all charges stood after ${(100 * share).toFixed(0)}% of ${together} slow questions in ${tookMs.toFixed(0)} ms; ${wrong} of ${rounds} crashes changed an answer or left it unpaid`,
    );
  },
};

/** When the charges of several slow questions were all seen, as a share of the time to the last reply: engines take them in turns. */
async function watchedCharges(
  daemon: Daemon,
  offer: DatasetOffer,
): Promise<{ share: number; tookMs: number }> {
  const tokens = await Promise.all(Array.from({ length: together }, () => authorised(daemon, offer)));
  const due = (await daemon.spent(offer)) + BigInt(together * microRho);
  const startedMs = performance.now();
  let seenMs: number | undefined;
  let isOver = false;
  const watching = (async () => {
    while (!isOver && seenMs === undefined)
      if ((await daemon.spent(offer)) >= due) seenMs = performance.now() - startedMs;
  })();
  const replies = await Promise.all(tokens.map(({ asking, token }) => daemon.answer(asking, token)));
  const tookMs = performance.now() - startedMs;
  isOver = true;
  await watching;
  for (const { status, text } of replies)
    if (status !== 200) throw new Error(`a slow question is not answered: ${text.slice(0, 300)}`);
  return { share: (seenMs ?? tookMs) / tookMs, tookMs };
}

async function authorised(
  daemon: Daemon,
  offer: DatasetOffer,
): Promise<{ asking: WireQuestion; token: string }> {
  const asking = await daemon.question(asked(question, { fresh: fresh() }), offer);
  return { asking, token: await daemon.tokenOf(asking) };
}
