/**
 * The Living Lab's folder: keys, configurations and data of each organisation, the chain's journal, receipts. Starting again continues
 * with what is here; `--fresh` removes it first, and only if it is a lab's.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { type AccountKey, createAccountKey, openAccountKey } from "./adapters/keys/account-key.ts";
import { readSecretFile, writeSecretFile } from "./adapters/keys/secret-file.ts";
import { createTlsCertificate } from "./adapters/keys/tls-certificate.ts";
import { lockFolder } from "./adapters/local-chain/folder-lock.ts";
import { TrustedDataError } from "./errors.ts";
import type { Deployment } from "./ledger/deployment.ts";
import { type Organisation, type OrganisationId, organisations } from "./living-lab/organisations.ts";
import type { Hex } from "./primitives/hex.ts";

/** Keys of the lab protect nothing but the lab. */
const scryptN = 2 ** 12;

const markSchema = z.object({
  version: z.literal("itd-lab/1"),
  people: z.int(),
  organisations: z.array(z.object({ id: z.string(), title: z.string(), account: z.string() })),
});

export type LabMark = z.infer<typeof markSchema>;

export class LabState {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get chainFolder(): string {
    return join(this.folder, "chain");
  }

  get receiptsFolder(): string {
    return join(this.folder, "receipts");
  }

  get deploymentFile(): string {
    return join(this.folder, "deployment.json");
  }

  get markFile(): string {
    return join(this.folder, "lab.json");
  }

  organisationFolder(id: OrganisationId): string {
    return join(this.folder, "organisations", id);
  }

  nodeStateFolder(id: OrganisationId): string {
    return join(this.organisationFolder(id), "state");
  }

  configFile(id: OrganisationId): string {
    return join(this.organisationFolder(id), "node.yaml");
  }

  clientFile(id: OrganisationId): string {
    return join(this.organisationFolder(id), "client.yaml");
  }

  /**
   * Removes the lab that is here, and nothing else in its folder.
   * @throws TrustedDataError `lab_folder_foreign` for a folder that holds something else, `state_in_use` while the lab runs.
   */
  async clear(): Promise<void> {
    if (!existsSync(this.folder) || (await readdir(this.folder)).length === 0) return;
    const text = existsSync(this.markFile) ? await readFile(this.markFile, "utf8") : "";
    if (!markSchema.safeParse(parsed(text)).success) {
      throw new TrustedDataError(
        "lab_folder_foreign",
        `${this.folder} holds no Living Lab, so --fresh removes nothing; name another folder with --state.`,
        { folder: this.folder },
      );
    }
    lockFolder(this.chainFolder).release();
    for (const name of ["chain", "organisations", "receipts", "deployment.json", "client.yaml", "lab.json"]) {
      await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  /** The lab that is here, undefined if there is none. */
  async mark(): Promise<LabMark | undefined> {
    if (!existsSync(this.markFile)) return undefined;
    const read = markSchema.safeParse(parsed(await readFile(this.markFile, "utf8")));
    if (read.success) return read.data;
    throw new TrustedDataError("lab_damaged", `${this.markFile} cannot be read; start over with --fresh.`, {
      file: this.markFile,
    });
  }

  /** Makes folders, keys and certificates that are missing, and gives every organisation's account. */
  async openAccounts(): Promise<Record<OrganisationId, AccountKey>> {
    await mkdir(this.receiptsFolder, { recursive: true, mode: 0o700 });
    const pairs = organisations.map(async ({ id }) => [id, await this.#openAccount(id)] as const);
    return Object.fromEntries(await Promise.all(pairs)) as Record<OrganisationId, AccountKey>;
  }

  /** Written first of all, then again with the accounts: so that an interrupted first start is known as a lab's. */
  async writeMark(people: number, accounts?: Readonly<Record<OrganisationId, Hex>>): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const mark: LabMark = {
      version: "itd-lab/1",
      people,
      organisations:
        accounts === undefined
          ? []
          : organisations.map(({ id, title }) => ({ id, title, account: accounts[id] })),
    };
    await writeFile(this.markFile, `${JSON.stringify(mark, null, 2)}\n`);
  }

  async readDeployment(): Promise<Deployment | undefined> {
    if (!existsSync(this.deploymentFile)) return undefined;
    return parsed(await readFile(this.deploymentFile, "utf8")) as Deployment;
  }

  async writeDeployment(deployment: Deployment): Promise<void> {
    await writeFile(this.deploymentFile, `${JSON.stringify(deployment, null, 2)}\n`);
  }

  /** The daemons' and clients' configurations; the chain's address changes from start to start. */
  async writeConfigurations(chainUrl: string, anchorSeconds: number, querier: OrganisationId): Promise<void> {
    for (const organisation of organisations) {
      const nodeText = stringify(nodeConfiguration(organisation, chainUrl, anchorSeconds));
      await writeFile(this.configFile(organisation.id), nodeText, { mode: 0o600 });
      const client = clientConfiguration(organisation.title, chainUrl, "../..", ".");
      await writeFile(this.clientFile(organisation.id), stringify(client), { mode: 0o600 });
    }
    const { title } = organisations.find(({ id }) => id === querier)!;
    const client = clientConfiguration(title, chainUrl, ".", `organisations/${querier}`);
    await writeFile(join(this.folder, "client.yaml"), stringify(client), { mode: 0o600 });
  }

  async #openAccount(id: OrganisationId): Promise<AccountKey> {
    const folder = this.organisationFolder(id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const passphraseFile = join(folder, "passphrase");
    if (!existsSync(passphraseFile))
      await writeSecretFile(passphraseFile, `${randomBytes(24).toString("base64url")}\n`);
    const passphrase = (await readSecretFile(passphraseFile)).trim();
    const keyFile = join(folder, "account.json");
    const tls = { certFile: join(folder, "tls.pem"), keyFile: join(folder, "tls-key.pem") };
    if (!existsSync(tls.certFile)) {
      await rm(tls.keyFile, { force: true });
      await createTlsCertificate(tls, passphrase);
    }
    return existsSync(keyFile)
      ? await openAccountKey(keyFile, passphrase)
      : await createAccountKey(keyFile, passphrase, { scryptN });
  }
}

function nodeConfiguration({ title, roles }: Organisation, chainUrl: string, anchorSeconds: number) {
  return {
    roles: roles.filter((role) => role === "repository" || role === "directory"),
    name: title,
    stateFolder: "state",
    account: { keyFile: "account.json", passphraseFile: "passphrase" },
    tls: { certificateFile: "tls.pem", keyFile: "tls-key.pem" },
    listen: { port: 0 },
    chain: { urls: [chainUrl], deploymentFile: "../../deployment.json", finalityDepth: 0, pollMs: 100 },
    anchoring: { intervalSeconds: anchorSeconds, countersignSecondsMax: 10, withinBlocks: 1_000 },
    catalogue: { watchSeconds: 1 },
    log: { level: "info" },
  };
}

function clientConfiguration(name: string, chainUrl: string, lab: string, own: string) {
  return {
    name,
    chain: { urls: [chainUrl], finalityDepth: 0 },
    deployment: `${lab}/deployment.json`,
    account: { file: `${own}/account.json`, passphraseFile: `${own}/passphrase` },
    receipts: `${lab}/receipts`,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
