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

const build = {
  version: "0.8.37",
  path: solcPath,
  isolated: false,
  toolVersionsInBuildInfo: false,
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "cancun",
    viaIR: false,
  },
};

export default defineConfig({
  plugins: [hardhatToolbox, quietDependencies],
  // Ignition deploys what the profile "production" builds. Hardhat's own would forget the EVM version; with the same build
  // in both, what is deployed is what is tested, and nothing is compiled twice.
  solidity: { profiles: { default: build, production: build } },
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
    // What `hardhat node` serves; the variable is for when port 8545 is taken.
    localhost: {
      type: "http",
      chainType: "l1",
      url: process.env.ITD_LOCALHOST_URL ?? "http://127.0.0.1:8545",
    },
  },
});
