/** All bad builds. Each is what a hurried change could make of the product. */
import type { BadBuild } from "./bad-build.ts";

export const badBuilds: readonly BadBuild[] = [
  {
    name: "noise-off",
    what: "exact numbers leave",
    patches: [
      {
        file: "node/data-sharing/release/release.ts",
        search: "value + sampleDiscreteGaussian(variances[index]!, randomness)",
        replace: "value",
      },
    ],
    caughtBy: ["differencing"],
  },
];
