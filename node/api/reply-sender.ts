/**
 * Sends replies to clients that may not read them. A reply goes out in pieces, so that it shows whether the client takes any; one that
 * stands still, takes too long, or is the longest without movement when all together are too large, is given up with its connection.
 * The memory counts that a reply holds until it is out, not what is left of it.
 */
import type { ServerResponse } from "node:http";

export interface SendingLimits {
  /** Without the client taking a piece. */
  idleMsMax: number;
  /** For a whole reply; 8 MiB at 280 KB/s. */
  replyMsMax: number;
  /** Of all replies that are under way; larger ones are sent alone. */
  heldBytesMax: number;
}

export const sendingLimits: SendingLimits = {
  idleMsMax: 10_000,
  replyMsMax: 30_000,
  heldBytesMax: 64 * 1024 * 1024,
};

const pieceBytes = 64 * 1024;
const checkIntervalMs = 500;

interface Sending {
  response: ServerResponse;
  bytes: number;
  startedMs: number;
  movedMs: number;
}

export class ReplySender {
  readonly #limits: SendingLimits;
  readonly #sendings = new Set<Sending>();
  readonly #check: NodeJS.Timeout;
  #heldBytes = 0;

  constructor(limits: SendingLimits = sendingLimits) {
    this.#limits = limits;
    this.#check = setInterval(() => this.#giveUpOverdue(), checkIntervalMs).unref();
  }

  /** Bytes of replies that are under way. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Status and headers are set already, but for the length. */
  send(response: ServerResponse, body: string): void {
    const bytes = Buffer.from(body);
    const nowMs = performance.now();
    const sending = { response, bytes: bytes.length, startedMs: nowMs, movedMs: nowMs };
    response.setHeader("content-length", bytes.length);
    this.#sendings.add(sending);
    this.#heldBytes += bytes.length;
    response.once("close", () => this.#forget(sending));
    this.#makeRoom(sending);
    writeOn(sending, bytes, 0);
  }

  close(): void {
    clearInterval(this.#check);
  }

  #giveUpOverdue(): void {
    const nowMs = performance.now();
    for (const sending of this.#sendings) {
      const isIdle = nowMs - sending.movedMs > this.#limits.idleMsMax;
      if (isIdle || nowMs - sending.startedMs > this.#limits.replyMsMax) this.#giveUp(sending);
    }
  }

  #makeRoom(newest: Sending): void {
    while (this.#heldBytes > this.#limits.heldBytesMax) {
      const others = [...this.#sendings].filter((sending) => sending !== newest);
      if (others.length === 0) return;
      this.#giveUp(others.reduce((a, b) => (a.movedMs <= b.movedMs ? a : b)));
    }
  }

  #giveUp(sending: Sending): void {
    this.#forget(sending);
    // A reply that waits behind another of its connection has no socket of its own yet.
    sending.response.req.socket.destroy();
  }

  #forget(sending: Sending): void {
    if (this.#sendings.delete(sending)) this.#heldBytes -= sending.bytes;
  }
}

function writeOn(sending: Sending, bytes: Buffer, from: number): void {
  const { response } = sending;
  for (let at = from; at < bytes.length; at += pieceBytes) {
    if (response.destroyed) return;
    if (response.write(bytes.subarray(at, at + pieceBytes))) continue;
    response.once("drain", () => {
      sending.movedMs = performance.now();
      writeOn(sending, bytes, at + pieceBytes);
    });
    return;
  }
  response.end();
}
