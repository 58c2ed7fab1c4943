/** The council and its proposals (contract TrustCouncil), as they stand now. */
import type { Hex } from "../../primitives/hex.ts";
import type { Council, CouncilReader, Proposal, ProposalState } from "../../trust-framework/ports.ts";
import { decodeAction } from "./action-codec.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { inParallel } from "./in-parallel.ts";

/** In the order of ITrustCouncil.ProposalState; number 0 is none. */
const states: readonly (ProposalState | undefined)[] = [
  undefined,
  "pending",
  "waiting",
  "ready",
  "executed",
  "expired",
];

interface ProposalStruct {
  id: string;
  proposer: string;
  description: string;
  targets: string[];
  payloads: string[];
  approvers: string[];
  state: bigint;
  createdAt: bigint;
  readyAt: bigint;
  expiresAt: bigint;
}

export class EthereumCouncil implements CouncilReader {
  readonly #chain: ChainConnection;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  async council(): Promise<Council> {
    const [members, threshold, emergencyQuorum, delayS] = await Promise.all([
      this.#read("members") as Promise<string[]>,
      this.#read("threshold"),
      this.#read("emergencyQuorum"),
      this.#read("getMinDelay"),
    ]);
    return {
      members: [...members].map((member) => member.toLowerCase()),
      threshold: Number(threshold),
      emergencyQuorum: Number(emergencyQuorum),
      delayS: Number(delayS),
    };
  }

  async proposals(): Promise<Proposal[]> {
    const count = Number(await this.#read("proposalCount"));
    const found = await inParallel(Array(count).keys(), async (i) =>
      this.proposal(String(await this.#read("proposalAt", i))),
    );
    return found.filter((proposal) => proposal !== undefined);
  }

  async proposal(id: Hex): Promise<Proposal | undefined> {
    const view = (await this.#read("proposalOf", id)) as ProposalStruct;
    const state = states[Number(view.state)];
    return state === undefined ? undefined : this.#proposalFrom(view, state);
  }

  async suspensionVotes(member: Hex): Promise<number> {
    return Number(
      await this.#read("suspensionVotes", this.#chain.deployment.contracts.trustFramework, member),
    );
  }

  #proposalFrom(view: ProposalStruct, state: ProposalState): Proposal {
    // The names of lists (`values` above all) are methods of ethers' results: read by position.
    const values = [...(view as unknown as Iterable<unknown>)][4] as bigint[];
    const actions = [...view.targets].map((address, i) => {
      const target = address.toLowerCase();
      const payload = String(view.payloads[i]);
      const valueWei = String(values[i]);
      const action = valueWei === "0" ? decodeAction(this.#chain.deployment, { target, payload }) : undefined;
      return { target, payload, valueWei, action };
    });
    return {
      id: view.id,
      proposer: view.proposer.toLowerCase(),
      description: view.description,
      actions,
      approvers: [...view.approvers].map((member) => member.toLowerCase()),
      state,
      createdS: Number(view.createdAt),
      readyS: view.readyAt === 0n ? undefined : Number(view.readyAt),
      expiresS: Number(view.expiresAt),
    };
  }

  #read(view: string, ...args: unknown[]): Promise<unknown> {
    return this.#chain.readOne("trustCouncil", view, args);
  }
}
