/** A repository whose dataset needs consent, people with keys of their own, and what the engine saw. */
import { ConsentGiver, targetOf, type Wish } from "../../node/data-sharing/consent/consent-giver.ts";
import {
  type ConsentReceipt,
  consentHash,
  consentStruct,
  type SignedConsent,
} from "../../node/data-sharing/consent/consent-receipt.ts";
import { personHash, takesPartBy } from "../../node/data-sharing/consent/person-hash.ts";
import type { ConsentArchive } from "../../node/data-sharing/consent/ports.ts";
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import type { PeerClient } from "../../node/data-sharing/ports.ts";
import { transcriptStruct } from "../../node/ledger/audit-entry.ts";
import type { Deployment } from "../../node/ledger/deployment.ts";
import type { Hex } from "../../node/primitives/hex.ts";
import { personSecret, RepositoryWorld, research } from "./repository-world.ts";
import { testDeployment, WalletSigner } from "./wallet-signer.ts";

export const academic = "dpv:AcademicResearch";
export const marketing = "dpv:Marketing";

export class MemoryArchive implements ConsentArchive {
  readonly files = new Map<string, string>();
  async texts(): Promise<string[]> {
    return [...this.files.values()];
  }
  async keep(name: string, text: string): Promise<void> {
    this.files.set(name, text);
  }
  async drop(name: string): Promise<void> {
    this.files.delete(name);
  }
}

export class Person {
  readonly signer = new WalletSigner();
  readonly archive = new MemoryArchive();
  readonly #world: ConsentWorld;

  constructor(world: ConsentWorld) {
    this.#world = world;
  }

  get key(): Hex {
    return this.signer.address;
  }

  giver(peers: Partial<PeerClient> = {}): ConsentGiver {
    const { clock, chain, randomness } = this.#world.repository;
    return new ConsentGiver({
      deployment: testDeployment,
      chain,
      signer: this.signer,
      peers: { ...this.#world.repository.peers(), ...peers },
      clock,
      randomness,
      archive: this.archive,
    });
  }

  async give(purpose = research, expiresS: number | null = null): Promise<void> {
    await this.say({ state: "given", purposes: [purpose], expiresS });
  }

  async withdraw(...purposes: string[]): Promise<void> {
    await this.say({ state: "withdrawn", purposes, expiresS: null });
  }

  async say(wish: Omit<Wish, "jurisdiction">): Promise<void> {
    // Else two in one millisecond would be told apart by the person's side only.
    this.#world.repository.clock.advance(1);
    await this.giver().say(targetOf(this.#world.repository.offer), { jurisdiction: "EU", ...wish });
  }

  /** A receipt as the person's side makes it, changed and signed anew by `signer`. */
  async receipt(
    changes: (receipt: ConsentReceipt) => ConsentReceipt = (receipt) => receipt,
    {
      signer = this.signer,
      deployment = testDeployment,
    }: { signer?: WalletSigner; deployment?: Deployment } = {},
  ): Promise<SignedConsent> {
    let made: SignedConsent | undefined;
    const caught = {
      giveConsent: async (_peer: unknown, signed: SignedConsent) => {
        made = signed;
      },
    };
    const wish = { state: "given" as const, purposes: [research], expiresS: null, jurisdiction: "EU" };
    await this.giver(caught)
      .say(targetOf(this.#world.repository.offer), wish)
      .catch(() => undefined);
    this.archive.files.clear();
    const receipt = changes(made!.receipt);
    return {
      receipt,
      signature: await signer.sign(consentStruct(deployment, receipt)),
      entrySignature: await signer.sign(transcriptStruct(deployment, consentHash(receipt))),
    };
  }
}

export class ConsentWorld {
  readonly repository: RepositoryWorld;
  /** Who took part in the executions, in their order: names of the world's 500 people. */
  readonly executions: string[][] = [];

  private constructor(repository: RepositoryWorld) {
    this.repository = repository;
    const { execute } = repository.engine;
    repository.engine = {
      execute: async (dataset, plan, limits, people) => {
        const takesPart = people === undefined ? () => true : takesPartBy(people);
        const names = Array.from({ length: 500 }, (_, i) => String(i));
        this.executions.push(names.filter((name) => takesPart(personHash(personSecret, dataset, name))));
        return await execute(dataset, plan, limits, people);
      },
    };
  }

  static async ready(manifest: Partial<DatasetManifest> = {}): Promise<ConsentWorld> {
    const [most, reservedMicroRho] = ["100000000", "1000000"];
    const budget = { totalMicroRho: most, perQuerierMicroRho: most, reservedMicroRho };
    return new ConsentWorld(await RepositoryWorld.ready({ consent: "required", budget, ...manifest }));
  }

  /** With a key that the custodian has bound to the person of this name. */
  enrolled(name: string): Person {
    const person = new Person(this);
    this.enrol(name, person.key);
    return person;
  }

  enrol(name: string, key: Hex): void {
    const person = personHash(personSecret, this.repository.manifest.name, name);
    this.repository.enrolments.enrol(this.repository.manifest.name, [{ person, key }]);
  }

  stranger(): Person {
    return new Person(this);
  }

  /** Who takes part in an answer for the purpose now. */
  async ask(purpose = research): Promise<string[]> {
    const minimum_age = 16 + (this.executions.length % 50);
    const question = { ...this.repository.question, purpose, parameters: { minimum_age } };
    const { answer } = await this.repository.querier().ask(question, this.repository.offer);
    if (answer === null) throw new Error("the question was refused");
    return this.executions.at(-1)!;
  }

  dispose(): void {
    this.repository.dispose();
  }
}
