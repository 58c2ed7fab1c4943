/** Many questions at the same moment, with budget for a few: checks and charges that are not one step would let more through. */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { replyOf } from "../support/reply.ts";

const microRho = 1_000;
const answers = 10;
const question = peopleAlgorithm(
  "attack-race",
  "SELECT COUNT(*) AS people FROM people WHERE fresh >= param.fresh",
  { microRho },
);

export const budgetRace: Attack = {
  name: "budget-race",
  what: "200 questions of several queriers at once (40 in the fast form), with budget for ten",
  bound: "answers beyond or short of the budget of ten: 0; no false alarms",
  async run(target, size) {
    const count = size === "fast" ? 40 : 200;
    const daemon = await target.daemon();
    const budget = String(answers * microRho);
    const offer = await daemon.addDataset(
      peopleDataset([{ cell: 0 }], {
        cells: 1,
        over: { budget: { totalMicroRho: budget, perQuerierMicroRho: budget, reservedMicroRho: budget } },
      }),
    );
    await daemon.field.publish(question);
    const tokens = await Promise.all(
      Array.from({ length: count }, async () => {
        const asking = await daemon.question(asked(question, { fresh: fresh() }), offer);
        return { asking, token: await daemon.tokenOf(asking) };
      }),
    );
    const replies = await Promise.all(
      tokens.map(async ({ asking, token }) => replyOf(await daemon.answer(asking, token))),
    );
    const answered = replies.filter(({ outcome }) => outcome === "answered").length;
    const refused = replies.filter(({ code }) => code === "budget_exhausted").length;
    const spent = await daemon.spent(offer);
    return atMost(
      Math.abs(answered - answers) +
        (count - answered - refused) +
        Math.abs(Number(spent) / microRho - answers),
      0,
      "answers",
      `${answered} of ${count} answered, ${refused} refused for the budget, ${spent} of ${budget} micro-rho spent`,
    );
  },
};
