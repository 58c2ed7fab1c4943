// Writes docs/configuration.md from the table of settings: `npx node scripts/write-configuration-docs.ts`.
import { writeFileSync } from "node:fs";
import { renderSettings } from "../node/settings.ts";

export const configurationDocsPath = "docs/configuration.md";

if (import.meta.main) writeFileSync(configurationDocsPath, renderSettings());
