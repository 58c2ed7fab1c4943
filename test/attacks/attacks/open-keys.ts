/**
 * Keys of an open domain, which are private themselves: people who are alone under a key of their own. The key must not be shown, as it could
 * not be there without them, but with the delta that tau is made for (1e-15 a micro-rho).
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, coins, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { openLabelsOf } from "../support/reply.ts";

const microRho = 500_000;
const lone = 400;
const firstLone = 1_000_000;
const question = peopleAlgorithm(
  "attack-open-keys",
  "SELECT label, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY label",
  { microRho },
);

export const openKeys: Attack = {
  name: "open-keys",
  what: "people who are alone under a key of an open domain",
  bound: "keys of one person shown: 0; false alarm 400 deltas of 5e-10 an answer",
  async run(target, size) {
    const answers = size === "fast" ? 1 : 5;
    const daemon = await target.daemon();
    const isIn = coins(lone);
    // Two keys that everybody knows, so that something is shown.
    const people = [
      ...Array.from({ length: 400 }, (_, i) => ({ cell: 0, label: i % 2 })),
      ...isIn.flatMap((is, i) => (is ? [{ cell: 0, label: firstLone + i }] : [])),
    ];
    const offer = await daemon.addDataset(peopleDataset(people, { cells: 1, hasLabel: true }));
    let [shown, known] = [0, 0];
    for (let answer = 0; answer < answers; answer++) {
      const reply = await daemon.ask(asked(question, { fresh: fresh() }), offer);
      for (const [label] of openLabelsOf(reply)) {
        if (Number(label) >= firstLone) shown++;
        else known++;
      }
    }
    if (known !== 2 * answers)
      throw new Error(`keys of 200 people are shown ${known} times in ${answers} answers`);
    const there = isIn.filter(Boolean).length;
    return atMost(shown, 0, "keys", `${shown} of ${there} lone keys shown, in ${answers} answers`);
  },
};
