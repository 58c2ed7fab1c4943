/** What authors and vetters do: publish, approve, withdraw, revoke. The chain decides; directories are told after it. */
import type { Command } from "commander";
import { approvalStruct } from "../data-sharing/approval.ts";
import { algorithmHash, parseAlgorithmManifest } from "../data-sharing/manifests/algorithm-manifest.ts";
import { loadSqlParser, parseSelect } from "../data-sharing/plan/parse-sql.ts";
import { TrustedDataError } from "../errors.ts";
import { type Hex, sha256Hex } from "../primitives/hex.ts";
import { revokeAlgorithm } from "../trust-framework/council-action.ts";
import { algorithmCosts } from "./charge.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { proposalText, proposeActions } from "./council-acts.ts";
import { findAlgorithm, problemNotes, readable } from "./find-algorithm.ts";
import { isoTime, timeText } from "./names.ts";

const daySeconds = 86_400;
const approvalDaysMax = 3_650;

export function publishCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ uri?: string }>(
    {
      usage: "publish <file>",
      summary: "put a manifest (YAML or JSON) on the chain and into the directories",
      description: "Repeating it changes nothing and sends the manifest again to directories that missed it.",
      examples: [["algorithm publish wages-by-city.yaml", "Publish, then let vetters read and sign it"]],
      configure: (command) =>
        command.option("--uri <uri>", "where the manifest can be read, besides the directories"),
      run: async ([file], { uri }, invocation) => {
        const text = await invocation.terminal.readFile(file!);
        const manifest = parseAlgorithmManifest(text);
        const hash = algorithmHash(manifest);
        // What can never run should not stand on the chain for good.
        await loadSqlParser();
        parseSelect(manifest.sql);
        const client = await invocation.client();
        if ((await client.algorithms.algorithm(hash))?.status === "revoked") {
          throw new TrustedDataError(
            "algorithm_revoked",
            `${manifest.name}, version ${manifest.version}, was revoked for good; raise its version and publish that.`,
            { algorithm: hash },
          );
        }
        const writer = await client.algorithmWriter();
        await writer.publish(hash, uri ?? "", manifest.kind, manifest.dataClass);
        const { sent, missed } = await pushToDirectories(client, hash, text, invocation);
        return {
          document: { hash, name: manifest.name, version: manifest.version, directories: sent, missed },
          text: [
            `Published ${manifest.name}, version ${manifest.version}: ${hash}`,
            `It costs ${algorithmCosts(manifest.microRho)} an answer. ${sent.length} ${sent.length === 1 ? "directory has" : "directories have"} it.`,
            "It may run once vetters of two independent organisations, certified for its class of data, have signed it:",
            `  npx itd algorithm approve ${hash.slice(0, 18)} --as ORGANISATION`,
          ].join("\n"),
          exitCode: sent.length > 0 ? 0 : 1,
        };
      },
    },
    context,
    ending,
  );
}

export function approveCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ days: string; review?: string }>(
    {
      usage: "approve <hash>",
      summary: "sign an algorithm as a certified vetter",
      description:
        "Read it first (itd algorithm show HASH). HASH may be the beginning of a hash, or a name. The hash of the review is signed too: " +
        "of the file given with --review, else of one sentence that says you have read it.",
      examples: [
        ["algorithm approve union-wage-premium --as city", "As the lab's city"],
        [
          "algorithm approve 0x8d3c1f5a --review review.md --days 180",
          "With a written review, for half a year",
        ],
      ],
      configure: (command) =>
        command
          .option("--days <number>", "how long the approval holds", "365")
          .option("--review <file>", "your written review"),
      run: async ([text], { days, review }, invocation) => {
        if (!/^[1-9]\d{0,3}$/.test(days) || Number(days) > approvalDaysMax)
          throw usageError(`--days takes a whole number from 1 to ${approvalDaysMax}.`);
        const client = await invocation.client();
        const known = readable(await findAlgorithm(client, text!, false, problemNotes(invocation.note)));
        const { hash } = known.published;
        const { name, version } = known.manifest;
        const words =
          review === undefined
            ? `Read and found fit: ${name}, version ${version}, ${hash}.`
            : await invocation.terminal.readFile(review);
        const signer = await client.signer();
        const expiresS = Math.floor(client.clock.nowMs() / 1000) + Number(days) * daySeconds;
        const approval = { algorithm: hash, vetter: signer.address, expiresS, reviewHash: sha256Hex(words) };
        const signature = await signer.sign(approvalStruct(client.deployment, approval));
        const writer = await client.algorithmWriter();
        await writer
          .approve(hash, signer.address, expiresS, approval.reviewHash, signature)
          .catch((error) => {
            if (error instanceof TrustedDataError && error.fields.contractError === "UncertifiedVetter")
              invocation.note(
                `${client.name} may not vet algorithms for ${known.manifest.dataClass}. npx itd framework show says who may; in a lab, --as acts for one of them.`,
              );
            throw error;
          });
        const status = (await client.algorithms.algorithm(hash))?.status ?? "none";
        return {
          document: {
            hash,
            name,
            vetter: signer.address,
            expires: isoTime(expiresS),
            reviewHash: approval.reviewHash,
            status,
          },
          text: [
            `${client.name} signed ${name}, version ${version}, until ${timeText(expiresS)}.`,
            status === "approved"
              ? "It is approved: repositories run it from now on."
              : "It needs the signature of another, independent organisation before repositories run it.",
          ].join("\n"),
        };
      },
    },
    context,
    ending,
  );
}

export function revokeCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ reason: string }>(
    {
      usage: "revoke <hash>",
      summary: "stop an algorithm: its author for good, a vetter by withdrawing, the council by decision",
      description:
        "What happens depends on whose account acts, and is said. HASH may be the beginning of a hash, or a name.",
      examples: [
        [
          'algorithm revoke union-wage-premium --reason "bounds too wide"',
          "As its author: at once and for good",
        ],
        ["algorithm revoke union-wage-premium --as city", "As a vetter: withdraws that signature"],
      ],
      configure: (command) => command.option("--reason <text>", "why, at most 31 characters", "withdrawn"),
      run: async ([text], { reason }, invocation) => {
        if (!/^[\x20-\x7e]{1,31}$/.test(reason)) throw usageError("--reason takes 1 to 31 plain characters.");
        const client = await invocation.client();
        const known = await findAlgorithm(client, text!, false, problemNotes(invocation.note));
        const { hash, author, approvals } = known.published;
        const name = known.manifest?.name ?? hash;
        const { address } = await client.signer();
        if (address === author) {
          await (await client.algorithmWriter()).revoke(hash, reason);
          return {
            document: { hash, action: "revoked" },
            text: `${name} is revoked for good; repositories refuse it from now on. A better version gets a new hash.`,
          };
        }
        if (approvals.some(({ vetter, withdrawn }) => vetter === address && !withdrawn)) {
          await (await client.algorithmWriter()).withdrawApproval(hash);
          const status = (await client.algorithms.algorithm(hash))?.status ?? "none";
          return {
            document: { hash, action: "approval-withdrawn", status },
            text: `${client.name} withdrew its signature from ${name}; the algorithm is now ${status}.`,
          };
        }
        if ((await client.council.council()).members.includes(address)) {
          const proposal = await proposeActions(
            client,
            [revokeAlgorithm(hash, reason)],
            `Revoke ${name}: ${reason}`,
          );
          return {
            document: { hash, action: "proposed", proposal: proposal.id },
            text: proposalText(client, proposal),
          };
        }
        throw new TrustedDataError(
          "chain_rejected",
          `${client.name} is neither the author of ${name}, nor has it signed it, nor is it a member of the council; use --as to act for one who is.`,
          { account: address },
        );
      },
    },
    context,
    ending,
  );
}

/** Side by side; one that is down gets it when the command is repeated. */
async function pushToDirectories(
  client: Client,
  hash: Hex,
  text: string,
  { note }: Invocation,
): Promise<{ sent: string[]; missed: string[] }> {
  const directories = (await client.directory.entries("directory")).filter(({ certified }) => certified);
  const sent: string[] = [];
  const missed: string[] = [];
  await Promise.all(
    directories.map(async (directory) => {
      try {
        await client.peers.pushManifest(directory, hash, text);
        sent.push(directory.endpoint);
      } catch (error) {
        if (!(error instanceof TrustedDataError)) throw error;
        missed.push(directory.endpoint);
        note(`Note: ${error.message} Repeat the command to send it again. (${error.code})`);
      }
    }),
  );
  return { sent: sent.sort(), missed: missed.sort() };
}
