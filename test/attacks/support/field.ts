/** The network on which builds are attacked: one chain, one directory, queriers, and certified accounts for the daemons to come. */
import type { BaseWallet } from "ethers";
import { EthereumCouncilWriter } from "../../../node/adapters/ethereum/ethereum-council-writer.ts";
import type { AlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { type Hex, sha256Hex } from "../../../node/primitives/hex.ts";
import { certify } from "../../../node/trust-framework/council-action.ts";
import { until } from "../../support/https-call.ts";
import type { NodeOptions } from "../../support/network.ts";
import { NodeProcess } from "../../support/node-process.ts";
import { ProcessNetwork } from "../../support/process-network.ts";

export interface FieldOptions {
  /** Daemons that may be started in all. */
  daemons: number;
  queriers: number;
}

/** Of one proposal, by TrustCouncil. */
const actionsMax = 16;

export class Field {
  readonly world: ProcessNetwork;
  readonly queriers: BaseWallet[];
  readonly #directory: NodeProcess;
  readonly #published = new Map<Hex, Promise<Hex>>();
  readonly #repositories: BaseWallet[];
  /** The author sends one transaction after the other. */
  #publishing: Promise<unknown> = Promise.resolve();

  private constructor(
    world: ProcessNetwork,
    directory: NodeProcess,
    accounts: { queriers: BaseWallet[]; repositories: BaseWallet[] },
  ) {
    this.world = world;
    this.#directory = directory;
    this.queriers = accounts.queriers;
    this.#repositories = accounts.repositories;
  }

  static async open({ daemons, queriers }: FieldOptions): Promise<Field> {
    const world = await ProcessNetwork.start({
      repositories: 0,
      directories: 1,
      queriers,
      strangers: daemons,
    });
    try {
      const repositories = Array.from({ length: daemons }, () => world.network.take("stranger"));
      const [directory] = await Promise.all([
        world.directory().then((process) => process.start()),
        certifyRepositories(world, repositories),
      ]);
      const accounts = Array.from({ length: queriers }, () => world.network.take("querier"));
      return new Field(world, directory, { queriers: accounts, repositories });
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get directory(): NodeProcess {
    return this.#directory;
  }

  /** Approved by both vetters and served by the directory; once, however many attacks ask with it. */
  async publish(algorithm: AlgorithmManifest): Promise<Hex> {
    const hash = algorithmHash(algorithm);
    const known = this.#published.get(hash);
    if (known !== undefined) return await known;
    const publishing = this.#publishing.then(() => this.world.publish(algorithm, [this.#directory]));
    this.#published.set(hash, publishing);
    this.#publishing = publishing.catch(() => undefined);
    return await publishing;
  }

  /** Made, not started; without data. Whoever makes it stops it. */
  async repository(node: NodeOptions, nodeOptions: string[]): Promise<NodeProcess> {
    const account = this.#repositories.shift();
    if (account === undefined) throw new Error("all daemons of the field are used: open it with more");
    const files = await this.world.network.makeNode(["repository"], account, node);
    return new NodeProcess(files, { nodeOptions });
  }

  async close(): Promise<void> {
    await this.world.close();
  }
}

/** All at once: one after the other, decisions would wait for the council's delay each. */
async function certifyRepositories({ network }: ProcessNetwork, accounts: BaseWallet[]): Promise<void> {
  const actions = accounts.map((account, i) =>
    certify(account.address.toLowerCase(), "repository", {
      framework: "eu",
      jurisdiction: "EU",
      controlGroup: `attacked-group-${i}`,
      maxGrade: 0,
      validFromS: 0,
      validUntilS: Date.UTC(2100, 0) / 1000,
      identityPolicyHash: sha256Hex("identity policy"),
      securityPolicyHash: sha256Hex("security policy"),
      privacyPolicyHash: sha256Hex("privacy policy"),
      dataClasses: [],
    }),
  );
  const [first, second, third] = network.council.map((account) => {
    return new EthereumCouncilWriter({ chain: network.chain, sender: network.sender(account) });
  });
  const ids: Hex[] = [];
  for (let i = 0; i < actions.length; i += actionsMax) {
    const salt = sha256Hex(`attacked repositories from ${i}`);
    ids.push(await first!.propose(actions.slice(i, i + actionsMax), "attacked repositories", salt));
  }
  for (const id of ids) await second!.approve(id);
  for (const id of ids) {
    const execute = () =>
      third!.execute(id).then(
        () => true,
        () => false,
      );
    await until(execute, "the repositories are certified");
  }
}
