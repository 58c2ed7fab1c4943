/** Exact discrete Gaussian noise at a standard deviation of 100, from the operating system's randomness: draws per second of CPU. */
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import { sampleDiscreteGaussians } from "../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { rational } from "../../../node/data-sharing/mechanisms/rational.ts";
import { cpuMsOf } from "../cpu.ts";

const variance = rational(100n ** 2n);
const [drawsOfRound, rounds] = [50_000, 9];

export async function benchDiscreteGaussian(): Promise<Record<string, number>> {
  const randomness = new SystemRandomness();
  const round = () => cpuMsOf(() => sampleDiscreteGaussians(variance, drawsOfRound, randomness));
  // The first round warms.
  await round();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await round());
  const medianMs = times.sort((a, b) => a - b)[rounds >> 1]!;
  return { discreteGaussianDrawsPerSecond: drawsOfRound / (medianMs / 1_000) };
}
