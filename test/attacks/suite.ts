/** All attacks, in the order of the table. */
import { averaging } from "./attacks/averaging.ts";
import { differencing } from "./attacks/differencing.ts";
import { keySet } from "./attacks/key-set.ts";
import { lowOrderBits } from "./attacks/low-order-bits.ts";
import { membership } from "./attacks/membership.ts";
import { neighbourAudit } from "./attacks/neighbour-audit.ts";
import { overflow } from "./attacks/overflow.ts";
import { reconstruction } from "./attacks/reconstruction.ts";
import type { Attack } from "./support/attack.ts";

export const attacks: readonly Attack[] = [
  differencing,
  averaging,
  reconstruction,
  lowOrderBits,
  overflow,
  keySet,
  membership,
  neighbourAudit,
];
