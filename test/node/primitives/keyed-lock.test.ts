import { expect } from "chai";
import { KeyedLock } from "../../../node/primitives/keyed-lock.ts";

describe("KeyedLock", () => {
  it("runs one key's work in order and lets other keys pass", async () => {
    const lock = new KeyedLock();
    const steps: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lock.run("a", async () => {
      await gate.promise;
      steps.push("a1");
    });
    const second = lock.run("a", async () => steps.push("a2"));
    await lock.run("b", async () => steps.push("b"));
    gate.resolve();
    await Promise.all([first, second]);
    expect(steps).to.deep.equal(["b", "a1", "a2"]);
  });

  it("goes on after work that failed", async () => {
    const lock = new KeyedLock();
    const failing = lock.run("a", async () => Promise.reject(new Error("broken")));
    const next = lock.run("a", async () => "fine");
    expect(await failing.catch((error: Error) => error.message)).to.equal("broken");
    expect(await next).to.equal("fine");
  });
});
