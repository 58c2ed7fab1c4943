/** All attacks, in the order of the table. */
import { averaging } from "./attacks/averaging.ts";
import { budgetChannel } from "./attacks/budget-channel.ts";
import { budgetRace } from "./attacks/budget-race.ts";
import { collusion } from "./attacks/collusion.ts";
import { crash } from "./attacks/crash.ts";
import { differencing } from "./attacks/differencing.ts";
import { errorChannel } from "./attacks/error-channel.ts";
import { keySet } from "./attacks/key-set.ts";
import { lowOrderBits } from "./attacks/low-order-bits.ts";
import { membership } from "./attacks/membership.ts";
import { neighbourAudit } from "./attacks/neighbour-audit.ts";
import { openKeys } from "./attacks/open-keys.ts";
import { overflow } from "./attacks/overflow.ts";
import { reconstruction } from "./attacks/reconstruction.ts";
import { restoredBackup } from "./attacks/restored-backup.ts";
import { seedReuse } from "./attacks/seed-reuse.ts";
import { smuggling } from "./attacks/smuggling.ts";
import { timing } from "./attacks/timing.ts";
import type { Attack } from "./support/attack.ts";

export const attacks: readonly Attack[] = [
  differencing,
  averaging,
  reconstruction,
  lowOrderBits,
  errorChannel,
  overflow,
  timing,
  keySet,
  openKeys,
  budgetChannel,
  seedReuse,
  restoredBackup,
  budgetRace,
  crash,
  smuggling,
  collusion,
  membership,
  neighbourAudit,
];
