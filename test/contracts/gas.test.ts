// What the main transactions cost, held against gas.snapshot.json, so that a change shows as a diff.
// Update it by: ITD_UPDATE_GAS=1 npx hardhat test mocha test/contracts/gas.test.ts
// Figures repeat to the unit: fixed accounts, salts, signatures and compiler; nothing depends on other tests.

import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { concat, keccak256, toBeHex, encodeBytes32String as word, ZeroHash } from "ethers";
import {
  type Action,
  certifyAction,
  connect,
  DATA_CLASS,
  DELAY_SECONDS,
  deploySystem,
  FRAMEWORK_ID,
  frameworkAction,
  type System,
  signApproval,
  YEAR_2040_SECONDS,
} from "./support/system.ts";

const snapshotPath = new URL("gas.snapshot.json", import.meta.url);
const connection = await connect();

type Costs = Record<string, number>;
type Meter = (name: string, sent: Promise<ContractTransactionResponse>) => Promise<void>;

describe("gas", () => {
  it("costs what the snapshot says (see the top of this file for updating it)", async () => {
    const costs = await measureAll();
    if (process.env.ITD_UPDATE_GAS !== undefined) {
      writeFileSync(snapshotPath, `${JSON.stringify(costs, null, 2)}\n`);
    }
    expect(costs).to.deep.equal(JSON.parse(readFileSync(snapshotPath, "utf8")));
  });
});

async function measureAll(): Promise<Costs> {
  const costs: Costs = {};
  const meter: Meter = async (name, sent) => {
    costs[name] = Number((await (await sent).wait())!.gasUsed);
  };
  const s = await deploySystem(connection);
  for (const [name, contract] of [
    ["TrustCouncil", s.council],
    ["TrustFramework", s.framework],
    ["AlgorithmRegistry", s.algorithms],
    ["RepositoryDirectory", s.directory],
    ["AuditAnchor", s.anchor],
  ] as const) {
    await meter(`deploy ${name}`, Promise.resolve(contract.deploymentTransaction()!));
  }
  await measureDecisions(meter, s);
  await measureVetting(meter, s);
  await measureAnchors(meter, s);
  await measureSuspension(meter, s);
  return costs;
}

/** A framework, then one member alone, then three more in one decision. */
async function measureDecisions(meter: Meter, s: System): Promise<void> {
  const [author, first, second, repository] = s.outsiders.map(({ address }) => address);
  const certify = (member: string, role: string, controlGroup: string) =>
    certifyAction(s, member, role, { controlGroup });
  await decideMetered(meter, s, "registerFramework", [frameworkAction(s, FRAMEWORK_ID)]);
  await decideMetered(meter, s, "certify", [certify(author!, "querier", "university")]);
  await decideMetered(meter, s, "certify three", [
    certify(first!, "vetter", "bank"),
    certify(second!, "vetter", "city"),
    certify(repository!, "repository", "hospital"),
  ]);
}

async function decideMetered(meter: Meter, s: System, name: string, actions: Action[]): Promise<void> {
  const [a, b, c] = s.members.map((member) => s.council.connect(member));
  const targets = await Promise.all(actions.map(({ target }) => target.getAddress()));
  const values = actions.map(() => 0n);
  const payloads = actions.map(({ data }) => data);
  const id = await s.council.hashProposal(targets, values, payloads, ZeroHash, name);
  await meter(`propose: ${name}`, a!.propose(targets, values, payloads, ZeroHash, name));
  await meter(`approve: ${name}`, b!.approve(id));
  await meter(`approve and schedule: ${name}`, c!.approve(id));
  await connection.networkHelpers.time.increase(DELAY_SECONDS);
  await meter(`execute: ${name}`, a!["execute(bytes32)"](id));
}

async function measureVetting(meter: Meter, s: System): Promise<void> {
  const [author, first, second, repository] = s.outsiders;
  const hash = keccak256("0x01");
  const uri = "https://example.org/algorithms/union-wage-premium.json";
  await meter("publish", s.algorithms.connect(author!).publish(hash, uri, word("sql"), DATA_CLASS));
  for (const [name, vetter] of [
    ["approve algorithm, first vetter", first!],
    ["approve algorithm, second vetter", second!],
  ] as const) {
    const signature = await signApproval(s, vetter, hash, YEAR_2040_SECONDS);
    const args = [hash, vetter.address, YEAR_2040_SECONDS, word("review"), signature] as const;
    await meter(name, s.algorithms.approve(...args));
  }
  await meter("withdraw approval", s.algorithms.connect(second!).withdrawApproval(hash));
  await meter("revoke algorithm", s.algorithms.connect(author!).revoke(hash, word("mistake")));

  const directory = s.directory.connect(repository!);
  const entry = (endpoint: string) =>
    directory.setEntry(word("repository"), endpoint, keccak256("0x02"), keccak256("0x03"));
  await meter("setEntry, new", entry("https://data.example.org:8443"));
  await meter("setEntry, replaced", entry("https://data.example.org:9443"));
}

async function measureAnchors(meter: Meter, s: System): Promise<void> {
  const party = s.outsiders[3]!.address;
  const anchor = s.anchor.connect(s.outsiders[3]!);
  const line = (n: number) => concat([keccak256(toBeHex(n)), `0x${"ff".repeat(16)}`]);
  let sequence = 0;
  const next = async (name: string, lines: number) => {
    const previous = await s.anchor.linkOf(party, sequence);
    const budgets = concat(Array.from({ length: lines }, (_, i) => line(i + 1)));
    await meter(name, anchor.anchor(++sequence, previous, keccak256("0x04"), 1000, budgets));
  };
  await next("anchor, first", 0);
  await next("anchor, no budget line", 0);
  await next("anchor, 1 budget line", 1);
  await next("anchor, 3 budget lines", 3);
}

async function measureSuspension(meter: Meter, s: System): Promise<void> {
  const vote = (voter: number) =>
    s.council.connect(s.members[voter]!).suspend(s.framework, s.outsiders[3]!.address, word("leak"));
  await meter("vote to suspend", vote(0));
  await meter("vote and suspend", vote(1));
}
