/** CPU time (user and system) of this process while `work` runs, in milliseconds: what a shared machine disturbs least. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1_000;
}
