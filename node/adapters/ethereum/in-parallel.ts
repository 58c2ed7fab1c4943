/** Lists are read item by item; a few calls at once keep that quick without flooding the node. */
const callsAtOnce = 8;

/** Results in the order of the items. */
export async function inParallel<Item, Answer>(
  items: Iterable<Item>,
  read: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const waiting = [...items].entries();
  const answers: Answer[] = [];
  const work = async () => {
    for (const [i, item] of waiting) answers[i] = await read(item);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, work));
  return answers;
}
