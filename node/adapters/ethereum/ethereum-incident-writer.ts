/** Reports incidents in an auditor's own name (contract TrustFramework); the council reports by proposal. */
import type { Hex } from "../../primitives/hex.ts";
import type { IncidentWriter } from "../../trust-framework/ports.ts";
import type { EthereumSender } from "./ethereum-sender.ts";

export class EthereumIncidentWriter implements IncidentWriter {
  readonly #sender: EthereumSender;

  constructor({ sender }: { sender: EthereumSender }) {
    this.#sender = sender;
  }

  async report(member: Hex, reportHash: Hex, reportUri: string): Promise<void> {
    await this.#sender.send("trustFramework", "reportIncident", [member, reportHash, reportUri]);
  }
}
