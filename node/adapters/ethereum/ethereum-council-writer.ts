/** The council, for one of its members (contract TrustCouncil). */
import type { Hex } from "../../primitives/hex.ts";
import type { CouncilAction } from "../../trust-framework/council-action.ts";
import type { CouncilWriter } from "../../trust-framework/ports.ts";
import { encodeAction } from "./action-codec.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { EthereumCouncil } from "./ethereum-council.ts";
import type { EthereumSender } from "./ethereum-sender.ts";
import { unlessDone } from "./unless-done.ts";
import { encodeWord } from "./words.ts";

export class EthereumCouncilWriter implements CouncilWriter {
  readonly #chain: ChainConnection;
  readonly #sender: EthereumSender;

  constructor({ chain, sender }: { chain: ChainConnection; sender: EthereumSender }) {
    this.#chain = chain;
    this.#sender = sender;
  }

  async propose(actions: readonly CouncilAction[], description: string, salt: Hex): Promise<Hex> {
    const encoded = actions.map((action) => encodeAction(this.#chain.deployment, action));
    const targets = encoded.map(({ target }) => target);
    const payloads = encoded.map(({ payload }) => payload);
    const args = [targets, targets.map(() => 0), payloads, salt, description];
    await unlessDone(["ProposalExists"], () => this.#send("propose", ...args));
    return String(await this.#chain.readOne("trustCouncil", "hashProposal", args));
  }

  approve(id: Hex): Promise<void> {
    return unlessDone(["AlreadyApproved"], () => this.#send("approve", id));
  }

  async withdrawApproval(id: Hex): Promise<void> {
    await this.#send("withdrawApproval", id);
  }

  execute(id: Hex): Promise<void> {
    // By its whole signature: the timelock beneath has an `execute` of its own.
    const step = () => this.#send("execute(bytes32)", id);
    return unlessDone(["UnexpectedProposalState"], step, async () => {
      const proposal = await new EthereumCouncil(this.#chain).proposal(id);
      return proposal?.state === "executed";
    });
  }

  suspend(member: Hex, reason: string): Promise<void> {
    return unlessDone(["AlreadyVoted", "AlreadySuspended"], () =>
      this.#send("suspend", this.#framework, member, encodeWord(reason)),
    );
  }

  withdrawSuspensionVote(member: Hex): Promise<void> {
    return unlessDone(["NotVoted"], () => this.#send("withdrawSuspensionVote", this.#framework, member));
  }

  get #framework(): Hex {
    return this.#chain.deployment.contracts.trustFramework;
  }

  #send(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#sender.send("trustCouncil", method, args);
  }
}
