/** `itd node`: the daemon. */
import type { Command } from "commander";
import { defineCommand, type Ending } from "./command.ts";
import type { Context } from "./context.ts";

export function nodeCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ config?: string }>(
    {
      usage: "node",
      summary: "the daemon: plays the roles of an organisation, as its settings say",
      description:
        "Settings come from a YAML file, and each also from the environment, which wins (docs/configuration.md lists them). " +
        "Logs are JSON lines on standard error; SIGTERM or Ctrl-C stops it in order.",
      examples: [
        ["node --config node.yaml", "Run the node of this file"],
        ["node", "Run with all settings from the environment"],
      ],
      configure: (command) => command.option("--config <file>", "the settings (YAML)"),
      run: async (_args, { config }) => {
        await context.runNode(config);
        return { document: { stopped: true }, text: "" };
      },
    },
    context,
    ending,
  );
}
