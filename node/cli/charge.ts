/** What an answer costs, in the words of differential privacy and in plain ones. */
import { epsilonOf } from "../data-sharing/accounting/zcdp.ts";
import { rhoText } from "./names.ts";

/** Reports convert rho to epsilon at this delta; the accounting itself is in rho. */
export const reportDelta = 1e-6;

/** At `reportDelta`, rounded up to three decimal places; 0 for what was free. */
export function epsilonAt(microRho: bigint): number {
  return microRho === 0n ? 0 : Math.ceil(epsilonOf(microRho, reportDelta) * 1000) / 1000;
}

export function algorithmCosts(microRho: string): string {
  return `${rhoText(microRho)} rho (epsilon ${epsilonAt(BigInt(microRho))} at delta 10^-6)`;
}
