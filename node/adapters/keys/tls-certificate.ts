/**
 * A node's TLS certificate (X.509 version 3, RFC 5280; P-256, signed with ECDSA and SHA-256) and its key in PKCS #8.
 *
 * Self-signed: no authority stands behind it. Clients take the fingerprint from the directory on the chain and accept no other.
 * The key's encryption is OpenSSL's (PBKDF2, AES-256); a short passphrase is soon found by whoever has the file.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { readFile } from "node:fs/promises";
import { TrustedDataError } from "../../errors.ts";
import { type Hex, sha256Hex } from "../../primitives/hex.ts";
import * as der from "./der.ts";
import { readSecretFile, writeSecretFile } from "./secret-file.ts";

export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

export interface TlsCertificateOptions {
  /** DNS names and IP addresses under which the node is reached. */
  names?: readonly string[];
  validDays?: number;
  nowMs?: number;
}

export interface TlsCertificate {
  certPem: string;
  /** Not encrypted: for memory only. */
  keyPem: string;
  /** SHA-256 of the certificate's DER: what the directory on the chain holds. */
  fingerprint: Hex;
  notAfterMs: number;
}

/** The longest that browsers accept. */
const validDaysDefault = 398;
const dayMs = 86_400_000;
/** Peers' clocks may be slow. */
const backdatedMs = 300_000;

/** Makes key and certificate. @throws TrustedDataError `key_exists`. */
export async function createTlsCertificate(
  { certFile, keyFile }: TlsFiles,
  passphrase: string,
  options: TlsCertificateOptions = {},
): Promise<TlsCertificate> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = new X509Certificate(selfSigned(privateKey, publicKey, options));
  const key = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase });
  await writeSecretFile(keyFile, String(key));
  await writeSecretFile(certFile, certificate.toString());
  return described(certificate, privateKey);
}

/** @throws TrustedDataError `key_not_found`, `key_wrong_passphrase`, `key_file_readable_by_others`, `key_file_invalid`. */
export async function openTlsCertificate(
  { certFile, keyFile }: TlsFiles,
  passphrase: string,
): Promise<TlsCertificate> {
  const keyText = await readSecretFile(keyFile);
  const certificate = await readCertificate(certFile);
  const privateKey = decrypted(keyFile, keyText, passphrase);
  if (certificate.checkPrivateKey(privateKey)) return described(certificate, privateKey);
  throw new TrustedDataError(
    "key_file_invalid",
    `The key in ${keyFile} does not belong to the certificate in ${certFile}: restore both from one backup.`,
    { file: keyFile },
  );
}

function described(certificate: X509Certificate, privateKey: KeyObject): TlsCertificate {
  return {
    certPem: certificate.toString(),
    keyPem: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    fingerprint: sha256Hex(certificate.raw),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

async function readCertificate(file: string): Promise<X509Certificate> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new TrustedDataError("key_not_found", `There is no certificate in ${file}; create one first.`, {
      file,
    });
  }
  try {
    return new X509Certificate(text);
  } catch {
    throw new TrustedDataError("key_file_invalid", `The file ${file} is no certificate in PEM.`, { file });
  }
}

function decrypted(file: string, text: string, passphrase: string): KeyObject {
  if (!text.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
    throw new TrustedDataError("key_file_invalid", `The file ${file} is no encrypted key in PEM (PKCS #8).`, {
      file,
    });
  }
  try {
    return createPrivateKey({ key: text, format: "pem", passphrase });
  } catch {
    throw new TrustedDataError("key_wrong_passphrase", `The passphrase does not open the key in ${file}.`, {
      file,
    });
  }
}

const oid = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
};

/** The certificate in DER (RFC 5280, section 4.1). */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject, options: TlsCertificateOptions): Buffer {
  const names = options.names ?? ["localhost", "127.0.0.1"];
  const nowMs = options.nowMs ?? Date.now();
  const algorithm = der.sequence(der.objectId(oid.ecdsaWithSha256));
  const spki = publicKey.export({ type: "spki", format: "der" });
  // Common names have at most 64 characters; clients look at the other names only.
  const commonName = der.sequence(
    der.objectId(oid.commonName),
    der.utf8String((names[0] ?? "").slice(0, 64)),
  );
  const name = der.sequence(der.set(commonName));
  const notAfterMs = nowMs + (options.validDays ?? validDaysDefault) * dayMs;
  const body = der.sequence(
    der.tagged(0xa0, der.integer(Uint8Array.of(2))), // version 3
    der.integer(randomBytes(16)),
    algorithm,
    name,
    der.sequence(der.time(nowMs - backdatedMs), der.time(notAfterMs)),
    name,
    spki,
    der.tagged(0xa3, der.sequence(...extensions(names, spki))),
  );
  return der.sequence(body, algorithm, der.bitString(sign("sha256", body, privateKey)));
}

function extensions(names: readonly string[], spki: Uint8Array): Buffer[] {
  const uses = der.sequence(der.objectId(oid.serverAuth), der.objectId(oid.clientAuth));
  return [
    extension(oid.basicConstraints, true, der.sequence()), // no authority
    extension(oid.keyUsage, true, der.bitString(Uint8Array.of(0x80), 7)), // digital signatures
    extension(oid.extendedKeyUsage, false, uses),
    extension(
      oid.subjectKeyId,
      false,
      der.octetString(createHash("sha256").update(spki).digest().subarray(0, 20)),
    ),
    extension(oid.subjectAltName, false, der.sequence(...names.map(der.generalName))),
  ];
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectId(id), ...flag, der.octetString(value));
}
