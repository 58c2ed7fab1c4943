/**
 * What a mechanism really gives away, from its exact distributions on two neighbouring inputs. Outcomes are in the same order in both.
 *
 * Rho is the least with D_alpha(P || Q) <= rho alpha for all orders looked at, in both directions (Bun and Steinke 2016, definition 1.1); a
 * finite list of orders can only understate it, so the audit catches a mechanism that is worse than charged and proves none.
 */
import { expect } from "chai";

/** Natural logarithms of probabilities, as tails underflow. */
export type LogTable = readonly number[];

/** 1 stands for the Kullback-Leibler divergence, the limit. */
const orders = [1, 1.01, 1.1, 1.25, 1.5, 2, 3, 4, 8, 16, 32, 64, 128];

/** Normalises weights that are given as logarithms. */
export function logTable(logWeights: readonly number[]): number[] {
  const mass = logSum(logWeights);
  return logWeights.map((weight) => weight - mass);
}

export function renyiDivergence(p: LogTable, q: LogTable, order: number): number {
  if (order === 1) return p.reduce((sum, logP, i) => sum + Math.exp(logP) * (logP - q[i]!), 0);
  return logSum(p.map((logP, i) => order * logP + (1 - order) * q[i]!)) / (order - 1);
}

/** The rho of zero-concentrated differential privacy that this pair alone costs. */
export function rhoOfPair(p: LogTable, q: LogTable): number {
  return Math.max(
    ...orders.flatMap((order) => [
      renyiDivergence(p, q, order) / order,
      renyiDivergence(q, p, order) / order,
    ]),
  );
}

/** The least delta of (epsilon, delta)-differential privacy for this pair, both directions. */
export function deltaOfPair(p: LogTable, q: LogTable, epsilon: number): number {
  const excess = (one: LogTable, other: LogTable) =>
    one.reduce((sum, logP, i) => sum + Math.max(0, Math.exp(logP) - Math.exp(epsilon + other[i]!)), 0);
  return Math.max(excess(p, q), excess(q, p));
}

/** Fails where the pair costs more than `rho`; a millionth of slack for rounding. */
export function expectWithinCharge(p: LogTable, q: LogTable, rho: number, what = ""): void {
  expect(rhoOfPair(p, q), what).to.be.at.most(rho * (1 + 1e-6) + 1e-12);
}

function logSum(values: readonly number[]): number {
  const top = values.reduce((a, b) => (a > b ? a : b));
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
