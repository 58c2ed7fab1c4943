/**
 * Averaging the noise away: the same question again, the same question in other words, and questions that differ in nothing that matters.
 * Repeats have to give the same bytes free; whatever gives other numbers has to be charged.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { valuesOf } from "../support/reply.ts";

const microRho = 10_000;
/** So many numbers of one draw that two draws are never equal. */
const cells = 200;

/** One question in as many ways as people write it. */
const wordings = [
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh AND secret = 1 GROUP BY cell",
  "select cell, count(*) as people from people where secret = 1 and fresh >= param.fresh group by cell",
  "SELECT p.cell, COUNT(*) AS people FROM people p WHERE param.fresh <= p.fresh AND NOT p.secret <> 1 GROUP BY p.cell",
  "SELECT cell, COUNT(*) AS people FROM people WHERE (fresh >= param.fresh) AND (secret + 0 = 1 + 0) GROUP BY 1",
  "SELECT cell, COUNT(*) AS people\n FROM people WHERE secret >= 1 AND NOT (fresh < param.fresh) AND secret >= 1 GROUP BY cell",
].map((sql, i) => peopleAlgorithm(`attack-wording-${i}`, sql, { microRho }));

export const averaging: Attack = {
  name: "averaging",
  what: "one question repeated, in other words, and with changes that matter to nobody",
  bound: "answers with numbers of their own: no more than were charged in full; no false alarms",
  async run(target, size) {
    const repeats = size === "fast" ? 8 : 60;
    const daemon = await target.daemon();
    const people = Array.from({ length: 10 * cells }, (_, i) => ({ cell: i % cells }));
    const offer = await daemon.addDataset(peopleDataset(people, { cells }));
    const same = { fresh: fresh() };
    const questions = Array.from({ length: repeats }, (_, i) => [
      asked(wordings[0]!, same),
      asked(wordings[i % wordings.length]!, same),
      asked(wordings[0]!, { fresh: fresh() }),
    ]).flat();
    const replies = await daemon.askAll(questions, offer);
    const draws = new Set(replies.map((reply) => JSON.stringify(valuesOf(reply))));
    const charged = replies.reduce((sum, reply) => sum + reply.chargeMicroRho, 0n);
    const inWords = replies.filter((_, i) => i % 3 === 1);
    const plans = new Set(inWords.map(({ plan }) => plan));
    return atMost(
      draws.size * microRho,
      Number(charged),
      "micro-rho",
      `${replies.length} answers, ${draws.size} different; ${wordings.length} wordings came to ${plans.size} plans`,
    );
  },
};
