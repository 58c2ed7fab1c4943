import { createRequire } from "node:module";
import hardhatToolbox from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";

// The compiler comes from npm, so that building needs no download (Hardhat would otherwise fetch one).
const solcPath = createRequire(import.meta.url).resolve("solc/soljson.js");

// Warnings about our own files are shown; those about libraries (functions called "at" in OpenZeppelin 5.7) only hide them.
const quietDependencies: HardhatPlugin = {
  id: "quiet-dependencies",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        async getCompilationJobErrors(context, job, output, next) {
          const errors = await next(context, job, output);
          const isOurs = (text = "") => !text.includes("--> ./node_modules/");
          return errors.filter((e) => e.severity === "error" || isOurs(e.formattedMessage));
        },
      }),
    }),
  },
};

export default defineConfig({
  plugins: [hardhatToolbox, quietDependencies],
  solidity: {
    version: "0.8.37",
    path: solcPath,
    settings: {
      optimizer: { enabled: true, runs: 200 },
      evmVersion: "cancun",
      viaIR: false,
    },
  },
  paths: {
    sources: "./contracts",
    tests: { mocha: "./test/contracts", solidity: "./test/contracts" },
    ignition: "./ignition",
  },
  test: {
    // Enough to find the bugs planted while writing the tests, in seconds; the seed is Hardhat's fixed one.
    solidity: { fuzz: { runs: 128 }, invariant: { runs: 24, depth: 64 } },
  },
  networks: {
    localhost: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
  },
});
