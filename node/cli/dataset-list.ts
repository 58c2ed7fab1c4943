/** `itd dataset list`: what one's own node holds, whether or not its daemon runs, and with what is damaged and so not offered. */
import type { Command } from "commander";
import { needsConsent } from "../data-sharing/manifests/dataset-manifest.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import type { ClientOptions, Context, Custody } from "./context.ts";
import { rhoText } from "./names.ts";
import { renderTable, wrapText } from "./table.ts";

interface ListOptions extends ClientOptions {
  config?: string;
}

export function ownListCommand(context: Context, ending: Ending): Command {
  return defineCommand<ListOptions>(
    {
      usage: "list",
      summary: "the datasets that your own node holds",
      description:
        "What everybody is offered shows itd datasets. Budgets are as declared, for all queriers together and for each of them and each purpose; " +
        "what is spent of them is on the chain.",
      examples: [
        ["dataset list --as bank", "Of an organisation of the lab"],
        ["dataset list --config node.yaml", "Outside of a lab"],
      ],
      configure: (command) => command.option("--config <file>", "the node's own settings, outside of a lab"),
      run: async (_args, options, invocation) => {
        if (options.config === undefined && options.as === undefined)
          throw usageError("Say whose node it is: --as ORGANISATION in a lab, else --config FILE.");
        const custody = await invocation.context.openCustody(options);
        try {
          return listed(custody, invocation);
        } finally {
          await custody.close();
        }
      },
    },
    context,
    ending,
  );
}

function listed(custody: Custody, { terminal, paint, note }: Invocation): Outcome {
  const manifests = custody.datasets.manifests();
  const damaged = custody.damaged();
  for (const { message } of damaged) note(wrapText(`Not offered: ${message}`, terminal.columns));
  const datasets = manifests.map((manifest) => ({
    name: manifest.name,
    title: manifest.title,
    source: custody.isInDatabase(manifest.name) ? "database" : "file",
    dataClass: manifest.dataClass,
    purposes: manifest.purposes,
    consent: needsConsent(manifest) ? "required" : "not-required",
    budget: manifest.budget,
  }));
  const document = { datasets, damaged };
  if (datasets.length === 0) return { document, text: `${custody.name} holds no dataset.` };
  const rows = datasets.map(({ name, title, source, dataClass, consent, budget }) => [
    name,
    title,
    source,
    dataClass,
    consent === "required" ? "required" : "",
    `${rhoText(budget.totalMicroRho)} / ${rhoText(budget.perQuerierMicroRho)}`,
  ]);
  const titles = ["name", "what it is", "lies in", "class", "consent", "rho in all / each"];
  const columns = titles.map((title) => ({ title, isWhole: title === "name" }));
  return { document, text: renderTable(columns, rows, terminal.columns, paint) };
}
