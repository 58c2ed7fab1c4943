/** CPU time (user and system) of this process while `work` runs, in milliseconds: what a shared machine disturbs least. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1_000;
}

/** The first round, which opens and warms, is left out. */
export async function medianCpuMs(work: () => unknown, rounds: number): Promise<number> {
  const times: number[] = [];
  await work();
  for (let round = 0; round < rounds; round++) times.push(await cpuMsOf(work));
  return medianOf(times);
}

/** How many times as much `work` takes as `reference`, in rounds in which both take turns; the first, which opens and warms, is left out. */
export async function cpuRatioOf(
  work: () => unknown,
  reference: () => unknown,
  rounds: number,
): Promise<{ ratio: number; referenceMs: number }> {
  await reference();
  await work();
  const [ratios, references]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const referenceMs = await cpuMsOf(reference);
    references.push(referenceMs);
    ratios.push((await cpuMsOf(work)) / referenceMs);
  }
  return { ratio: medianOf(ratios), referenceMs: medianOf(references) };
}

export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
