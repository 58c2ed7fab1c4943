/** The values of an algorithm's parameters, checked against their declared domains; what is checked goes into the plan as constants. */
import { TrustedDataError } from "../../errors.ts";
import type { AlgorithmManifest, AlgorithmParameter } from "../manifests/algorithm-manifest.ts";

export type ParameterValue = bigint | string;

/**
 * Every declared parameter with its value or default.
 * @throws TrustedDataError `parameter_invalid`; `fields` holds the reason under each parameter's name.
 */
export function resolveParameters(
  algorithm: Pick<AlgorithmManifest, "parameters">,
  given: Readonly<Record<string, string | number>>,
): Map<string, ParameterValue> {
  const declared = Object.entries(algorithm.parameters);
  const reasons: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(algorithm.parameters, name))
      reasons[name] = `no such parameter; there are ${declared.map(([known]) => known).join(", ") || "none"}`;
  }
  const values = new Map<string, ParameterValue>();
  for (const [name, parameter] of declared) {
    const value = Object.hasOwn(given, name) ? given[name] : parameter.default;
    const checked = value === undefined ? null : checkedValue(parameter, value);
    if (checked !== null) values.set(name, checked);
    else reasons[name] = value === undefined ? "it has no default: give a value" : expectationOf(parameter);
  }
  const [first] = Object.entries(reasons);
  if (first !== undefined)
    throw new TrustedDataError(
      "parameter_invalid",
      `The parameter ${first[0]} is not acceptable: ${first[1]}.`,
      reasons,
    );
  return values;
}

function checkedValue(parameter: AlgorithmParameter, value: string | number): ParameterValue | null {
  if (parameter.type === "text")
    return typeof value === "string" && parameter.values.includes(value) ? value : null;
  const text = String(value);
  if (!/^(?:0|-?[1-9]\d{0,15})$/.test(text)) return null;
  const whole = BigInt(text);
  return whole >= BigInt(parameter.minimum) && whole <= BigInt(parameter.maximum) ? whole : null;
}

function expectationOf(parameter: AlgorithmParameter): string {
  return parameter.type === "text"
    ? `give one of ${parameter.values.join(", ")}`
    : `give a whole number from ${parameter.minimum} to ${parameter.maximum}`;
}
