/** Joins the adapters for one command: a party's view of the network, and the data of its own node. */
import { join } from "node:path";
import { DocumentFolder } from "./adapters/document-folder.ts";
import { openChain } from "./adapters/ethereum/chain-connection.ts";
import { EthereumAlgorithmWriter } from "./adapters/ethereum/ethereum-algorithm-writer.ts";
import { EthereumAlgorithms } from "./adapters/ethereum/ethereum-algorithms.ts";
import { EthereumCouncil } from "./adapters/ethereum/ethereum-council.ts";
import { EthereumCouncilWriter } from "./adapters/ethereum/ethereum-council-writer.ts";
import { EthereumDirectory } from "./adapters/ethereum/ethereum-directory.ts";
import { EthereumFramework } from "./adapters/ethereum/ethereum-framework.ts";
import { EthereumIncidentWriter } from "./adapters/ethereum/ethereum-incident-writer.ts";
import { EthereumLedger } from "./adapters/ethereum/ethereum-ledger.ts";
import { EthereumMembers } from "./adapters/ethereum/ethereum-members.ts";
import { EthereumSender } from "./adapters/ethereum/ethereum-sender.ts";
import { HttpsPeerClient } from "./adapters/https/peer-client.ts";
import { type AccountKey, openAccountKey } from "./adapters/keys/account-key.ts";
import { readSecretFile } from "./adapters/keys/secret-file.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { SystemRandomness } from "./adapters/system-randomness.ts";
import type { Client, ClientOptions } from "./cli/context.ts";
import {
  findClientFile,
  namesOf,
  organisationsBeside,
  readClientConfig,
  readDeploymentFile,
} from "./client-config.ts";

/** Of the receipts' folder: what a person has consented to. */
const consentsFolderName = "consents";

/** A person waits: longer than a healthy chain or node takes, shorter than patience. */
const chainTimeoutMs = 5_000;
const peerTimeoutMs = 10_000;
/** A repository's engine may take 30 s, and answers leave on slots. */
const questionTimeoutMs = 45_000;
const chainPollMs = 200;

export async function openClient(options: ClientOptions): Promise<Client> {
  const file = findClientFile(options);
  const config = readClientConfig(file);
  const deployment = readDeploymentFile(config.deployment);
  const organisations = organisationsBeside(file);
  const { urls, finalityDepth } = config.chain;
  const chain = openChain({
    urls,
    deployment,
    finalityDepth,
    timeoutMs: chainTimeoutMs,
    pollMs: chainPollMs,
  });
  const peers = new HttpsPeerClient({ timeoutMs: peerTimeoutMs, questionTimeoutMs });

  let opened: Promise<AccountKey> | undefined;
  const account = () => {
    opened ??= openAccount(config.account);
    return opened;
  };
  let sending: EthereumSender | undefined;
  const sender = async () => {
    const { wallet } = await account();
    sending ??= new EthereumSender({}, { chain, key: wallet });
    return sending;
  };

  return {
    name: config.name,
    deployment,
    chain: new EthereumLedger(chain),
    members: new EthereumMembers(chain),
    framework: new EthereumFramework(chain),
    council: new EthereumCouncil(chain),
    algorithms: new EthereumAlgorithms(chain),
    directory: new EthereumDirectory(chain),
    peers,
    clock: systemClock,
    randomness: new SystemRandomness(),
    receiptsFolder: config.receipts,
    consents: new DocumentFolder(join(config.receipts, consentsFolderName)),
    signer: async () => (await account()).signer,
    algorithmWriter: async () => new EthereumAlgorithmWriter({ chain, sender: await sender() }),
    councilWriter: async () => new EthereumCouncilWriter({ chain, sender: await sender() }),
    incidentWriter: async () => new EthereumIncidentWriter({ sender: await sender() }),
    names: namesOf(organisations),
    ids: new Map(organisations.map(({ id, account }) => [id, account])),
    close: async () => {
      await Promise.all([chain.close(), peers.close()]);
    },
  };
}

async function openAccount({ file, passphraseFile }: { file: string; passphraseFile: string }) {
  const passphrase = (await readSecretFile(passphraseFile)).split(/\r?\n/)[0]!;
  return await openAccountKey(file, passphrase);
}
