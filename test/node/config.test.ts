import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { loadConfig } from "../../node/config.ts";
import { TrustedDataError } from "../../node/errors.ts";
import { type Setting, settings } from "../../node/settings.ts";

const complete = `
roles: [repository]
name: Hospital
stateFolder: state
account: { keyFile: account.json }
tls: { certificateFile: tls/certificate.pem, keyFile: /keys/tls.pem }
chain:
  urls: [http://127.0.0.1:8545]
  deploymentFile: ../deployment.json
`;

describe("settings of the daemon", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "itd-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (text: string, environment: Record<string, string> = {}) => {
    const file = join(folder, "node.yaml");
    writeFileSync(file, text);
    return loadConfig(file, environment);
  };
  const problemsOf = (text: string, environment: Record<string, string> = {}) => {
    try {
      load(text, environment);
    } catch (error) {
      if (error instanceof TrustedDataError && error.code === "config_invalid") return error.fields;
      throw error;
    }
    throw new Error("the settings were accepted");
  };

  it("fills in defaults, and takes paths relative to the file", () => {
    const config = load(complete);
    expect(config.listenHost).to.equal("127.0.0.1");
    expect(config.chainAgeSecondsMax).to.equal(600);
    expect(config.stateFolder).to.equal(join(folder, "state"));
    expect(config.tlsCertificateFile).to.equal(join(folder, "tls/certificate.pem"));
    expect(config.tlsKeyFile).to.equal("/keys/tls.pem");
    expect(config.deploymentFile).to.equal(resolve(folder, "../deployment.json"));
    expect(config.passphrase).to.equal(null);
  });

  it("lets the environment win over the file, with numbers, lists and paths of the working folder", () => {
    const config = load(complete, {
      ITD_ROLES: "repository, directory",
      ITD_LISTEN_PORT: "9000",
      ITD_STATE_FOLDER: "elsewhere",
      ITD_PASSPHRASE: "correct horse",
      ITD_NAME: "",
    });
    expect(config.roles).to.deep.equal(["repository", "directory"]);
    expect(config.listenPort).to.equal(9000);
    expect(config.stateFolder).to.equal(resolve("elsewhere"));
    expect(config.passphrase).to.equal("correct horse");
    expect(config.name).to.equal("Hospital");
  });

  it("works without a file", () => {
    const environment = {
      ITD_ROLES: "directory",
      ITD_NAME: "Library",
      ITD_STATE_FOLDER: "/state",
      ITD_ACCOUNT_KEY_FILE: "/key.json",
      ITD_TLS_CERTIFICATE_FILE: "/c.pem",
      ITD_TLS_KEY_FILE: "/k.pem",
      ITD_CHAIN_URLS: "http://127.0.0.1:1,http://127.0.0.1:2",
      ITD_DEPLOYMENT_FILE: "/d.json",
    };
    expect(loadConfig(undefined, environment).chainUrls).to.have.length(2);
  });

  it("names every unknown key", () => {
    const fields = problemsOf(`${complete}lisen: { port: 1 }\nlimits: { requestsPerMinutes: 5 }\nlog: {}\n`);
    expect(fields).to.deep.equal({
      "lisen.port": "is no setting",
      "limits.requestsPerMinutes": "is no setting",
      log: "is no setting",
    });
  });

  it("never takes the passphrase from the file", () => {
    expect(problemsOf(`${complete}passphrase: secret\n`)).to.have.property("passphrase", "is no setting");
    expect(problemsOf(`${complete}"": secret\n`)).to.have.property("", "is no setting");
  });

  it("names everything that is missing or out of range", () => {
    expect(Object.keys(problemsOf("name: x\nlisten: { port: 70000 }\n"))).to.include.members([
      "roles",
      "stateFolder",
      "listen.port",
      "chain.urls",
    ]);
    expect(problemsOf(complete, { ITD_LISTEN_PORT: "0x10" })).to.have.property("listen.port");
    expect(problemsOf(complete, { ITD_ENDPOINT: "https://node.example/path" })).to.have.property("endpoint");
    expect(problemsOf(complete, { ITD_ENDPOINT: "http://node.example" })).to.have.property("endpoint");
    expect(problemsOf(complete, { ITD_CHAIN_URLS: "ftp://x" })).to.have.property("chain.urls");
    expect(problemsOf(complete, { ITD_ROLES: "king" })).to.have.property("roles");
  });

  it("refuses a file that two readers could read differently, is no map, or is not there", () => {
    expect(problemsOf(`${complete}name: Other\n`)).to.have.property("document");
    expect(problemsOf("- a\n")).to.have.property("document");
    expect(() => loadConfig(join(folder, "missing.yaml"), {})).to.throw(
      TrustedDataError,
      "there is no such file",
    );
  });

  it("has each path and each variable once", () => {
    const all = Object.values<Setting<unknown>>(settings);
    expect(new Set(all.map(({ env }) => env)).size).to.equal(all.length);
    expect(new Set(all.map(({ path }) => path)).size).to.equal(all.length);
    for (const { env } of all) expect(env).to.match(/^ITD_[A-Z_]+$/);
  });
});
