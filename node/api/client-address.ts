/** What a client's address decides: how many connections it may hold, and whether it is this machine's own. */
import type { Server, Socket } from "node:net";
import { BlockList, isIPv6 } from "node:net";
import { ipKeyGenerator } from "express-rate-limit";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Also of an IPv4 address as an IPv6 socket shows it. */
export function isLoopback(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, "") ?? "";
  return loopback.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** Closes connections of an address beyond `most`; of IPv6 a whole /56 counts as one, as one customer has at least as much. */
export function limitConnections(server: Server, most: number): void {
  const counts = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const key = ipKeyGenerator(socket.remoteAddress ?? "");
    const count = counts.get(key) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    counts.set(key, count + 1);
    socket.once("close", () => {
      const left = counts.get(key)! - 1;
      if (left === 0) counts.delete(key);
      else counts.set(key, left);
    });
  });
}
