/**
 * An account's key (secp256k1) in a file: Web3 Secret Storage, version 3, which other wallets read as well.
 *
 * It is as safe as its passphrase: whoever copies the file can try passphrases, each for the cost of one scrypt.
 */
import { type BaseWallet, encryptKeystoreJson, HDNodeWallet, isKeystoreJson, Wallet } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import type { Signer } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { isCanonicalSignature, type TypedStruct } from "../../primitives/typed-data.ts";
import { readSecretFile, writeSecretFile } from "./secret-file.ts";

export interface AccountKeyOptions {
  /** Cost of scrypt, a power of two. Lower only for keys that protect nothing, as in the Living Lab. */
  scryptN?: number;
}

export interface AccountKey {
  /** Signs what parties tell each other. */
  signer: Signer;
  /** Signs transactions. */
  wallet: BaseWallet;
}

/** Half a second and 128 MB a try. */
const scryptN = 2 ** 17;

/** Makes a new key. @throws TrustedDataError `key_exists`. */
export async function createAccountKey(
  file: string,
  passphrase: string,
  options: AccountKeyOptions = {},
): Promise<AccountKey> {
  const { address, privateKey } = HDNodeWallet.createRandom();
  const scrypt = { N: options.scryptN ?? scryptN };
  await writeSecretFile(
    file,
    `${await encryptKeystoreJson({ address, privateKey }, passphrase, { scrypt })}\n`,
  );
  return accountKeyOf(new Wallet(privateKey));
}

/** @throws TrustedDataError `key_not_found`, `key_wrong_passphrase`, `key_file_readable_by_others`, `key_file_invalid`. */
export async function openAccountKey(file: string, passphrase: string): Promise<AccountKey> {
  const text = await readSecretFile(file);
  if (!isKeystoreJson(text)) throw invalid(file);
  try {
    return accountKeyOf(await Wallet.fromEncryptedJson(text, passphrase));
  } catch (error) {
    if (!isWrongPassphrase(error)) throw invalid(file);
    throw new TrustedDataError("key_wrong_passphrase", `The passphrase does not open the key in ${file}.`, {
      file,
    });
  }
}

export function accountKeyOf(wallet: BaseWallet): AccountKey {
  return { wallet, signer: new WalletSigner(wallet) };
}

class WalletSigner implements Signer {
  readonly address: string;
  readonly #wallet: BaseWallet;

  constructor(wallet: BaseWallet) {
    this.#wallet = wallet;
    this.address = wallet.address.toLowerCase();
  }

  async sign({ domain, types, message }: TypedStruct): Promise<string> {
    const signature = (await this.#wallet.signTypedData(domain, types, message)).toLowerCase();
    assert(isCanonicalSignature(signature), "the wallet signs canonically");
    return signature;
  }
}

function isWrongPassphrase(error: unknown): boolean {
  return error instanceof Error && "argument" in error && error.argument === "password";
}

function invalid(file: string): TrustedDataError {
  return new TrustedDataError(
    "key_file_invalid",
    `The file ${file} is no encrypted key (Web3 Secret Storage 3); restore it from a backup.`,
    { file },
  );
}
