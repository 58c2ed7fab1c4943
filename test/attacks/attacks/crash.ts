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
const rows = 150_000;
/** Slow questions at once, and how often; after the first few replies nearly all of the charges have to stand. */
const together = 16;
const watches = 2;
const early = 4;
const standingMin = 13;
const question = slowCount("attack-crash", microRho);

export const crash: Attack = {
  name: "crash",
  what: "the budget watched while a plan runs, and SIGKILL between charge and reply",
  bound: "answers changed or unpaid: 0; 13 of 16 charges stand when 4 replies are there",
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
    for (let watch = 0; watch < watches; watch++) watched.push(await chargesStanding(daemon, offer));
    // A busy machine may delay what is seen once.
    const standing = Math.max(...watched.map((one) => one.standing));
    const tookMs = Math.min(...watched.map((one) => one.tookMs));
    let [wrong, charged] = [0, BigInt(watches * together * microRho)];
    for (let round = 0; round < rounds; round++) {
      const { asking, token } = await authorised(daemon, offer);
      const sent = daemon.answer(asking, token).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, randomInt(Math.ceil((3 * tookMs) / together))));
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
      wrong + Math.max(0, standingMin - standing),
      0,
      "failures",
      `${standing} of ${together} charges stood after ${early} replies to slow questions; ${wrong} of ${rounds} crashes changed an answer or left it unpaid`,
    );
  },
};

/** How many of the charges stood when the first few replies were there: engines take questions in turns, budgets need not. */
async function chargesStanding(
  daemon: Daemon,
  offer: DatasetOffer,
): Promise<{ standing: number; tookMs: number }> {
  const tokens = await Promise.all(Array.from({ length: together }, () => authorised(daemon, offer)));
  const before = await daemon.spent(offer);
  const startedMs = performance.now();
  let replied = 0;
  let seen: Promise<bigint> | undefined;
  const replies = await Promise.all(
    tokens.map(async ({ asking, token }) => {
      const reply = await daemon.answer(asking, token);
      if (++replied === early) seen = daemon.spent(offer);
      return reply;
    }),
  );
  const tookMs = performance.now() - startedMs;
  for (const { status, text } of replies)
    if (status !== 200) throw new Error(`a slow question is not answered: ${text.slice(0, 300)}`);
  return { standing: Number((await seen!) - before) / microRho, tookMs };
}

async function authorised(
  daemon: Daemon,
  offer: DatasetOffer,
): Promise<{ asking: WireQuestion; token: string }> {
  const asking = await daemon.question(asked(question, { fresh: fresh() }), offer);
  return { asking, token: await daemon.tokenOf(asking) };
}
