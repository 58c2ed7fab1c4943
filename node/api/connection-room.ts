/**
 * Room for new connections when all are taken: the one goes that has waited longest without sending a whole request, so that connections
 * which do nothing keep nobody out. Who asks at once loses nothing unless as many others come meanwhile.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";

interface Held {
  key: string;
  socket: Socket;
  /** The newest; none yet, or none since the last reply. */
  request: IncomingMessage | undefined;
}

export function limitAllConnections(server: Server, most: number): void {
  /** By the client's address and port, which a connection and the TLS over it share; who waits longest first. */
  const held = new Map<string, Held>();

  server.on("connection", (socket: Socket) => {
    if (socket.destroyed) return;
    if (held.size >= most) {
      const waiting = longestWaiting(held);
      if (waiting === undefined) {
        socket.destroy();
        return;
      }
      held.delete(waiting.key);
      waiting.socket.destroy();
    }
    const key = keyOf(socket);
    const own: Held = { key, socket, request: undefined };
    held.set(key, own);
    socket.once("close", () => {
      if (held.get(key) === own) held.delete(key);
    });
  });

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const key = keyOf(request.socket);
    const own = held.get(key);
    if (own === undefined) return;
    own.request = request;
    response.once("close", () => {
      if (held.get(key) !== own || own.request !== request) return;
      own.request = undefined;
      held.delete(key);
      held.set(key, own);
    });
  });
}

function longestWaiting(held: ReadonlyMap<string, Held>): Held | undefined {
  for (const one of held.values()) if (one.request?.complete !== true) return one;
  return undefined;
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
