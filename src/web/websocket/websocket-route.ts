import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { HttpRequestHead, HttpRoute } from '../../routing/http-route.ts';
import type { IncomingConnection } from '../../streams/acceptor.ts';
import { messageFraming } from '../../streams/message-framing.ts';
import type { Clock } from '../../support/clock.ts';
import { WebSocketConnection, type WebSocketLimits } from './websocket-connection.ts';

/** Dependencies of the route. */
interface WebSocketRouteDeps {
  /** The origins whose pages may connect; `*` is every origin. */
  readonly origins: readonly string[];
  readonly limits: WebSocketLimits;
  /** Bytes of the largest message. */
  readonly messageBytes: number;
  /** Whether nobody on the way can read or change what the request brings. */
  readonly isSecure: (request: HttpRequestHead) => boolean;
  readonly clock: Clock;
  /** Takes a connection, or refuses it. */
  readonly arrived: (arrival: IncomingConnection) => void;
}

const protocol = 'xmpp';
/** A close code of the registry of RFC 6455 §11.7. */
const tryAgainLater = 1013;

/** The streams of clients through WebSockets (RFC 7395). */
export function webSocketRoute(path: string, deps: WebSocketRouteDeps): HttpRoute {
  let loaded: Promise<WebSocketServer> | undefined;
  return {
    methods: ['GET'],
    path,
    quiet: true,
    handle: () => ({ status: 426, headers: { connection: 'Upgrade, close', upgrade: 'websocket' } }),
    upgrade(request, socket, firstBytes, message) {
      const status = refusal(request, deps.origins);
      if (status !== undefined) return refuse(socket, status);
      loaded ??= webSocketServer(deps);
      void loaded.then((server) =>
        // Answers a wrong handshake itself; calls back at once after a good one.
        server.handleUpgrade(message, socket, firstBytes, (webSocket) =>
          deps.arrived(arrivalOf(webSocket, socket, request, deps)),
        ),
      );
    },
  };
}

/** Loads the library with the first WebSocket: it takes two megabytes. */
async function webSocketServer({ messageBytes }: WebSocketRouteDeps): Promise<WebSocketServer> {
  const library = await import('ws');
  return new library.WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Its buffers would take most of the memory of an idle connection.
    perMessageDeflate: false,
    maxPayload: messageBytes,
    maxFragments: 64,
    maxBufferedChunks: 1024,
    handleProtocols: () => protocol,
  });
}

/** Why the request does not become a WebSocket, as the status of the answer. */
function refusal({ headers }: HttpRequestHead, origins: readonly string[]): string | undefined {
  // RFC 7395 §3.1: the server would have to guess what the client speaks.
  const offered = textOf(headers['sec-websocket-protocol']).split(/[\s,]+/);
  if (!offered.includes(protocol)) return '400 Bad Request';
  const { origin } = headers;
  const isWelcome = origin === undefined || origins.includes('*') || origins.includes(textOf(origin));
  return isWelcome ? undefined : '403 Forbidden';
}

function arrivalOf(
  webSocket: WebSocket,
  carrier: Duplex,
  request: HttpRequestHead,
  { limits, isSecure, clock }: WebSocketRouteDeps,
): IncomingConnection {
  const { remoteAddress } = request;
  const secure = isSecure(request);
  return {
    remoteAddress,
    framing: messageFraming,
    admit: (user) => new WebSocketConnection(webSocket, carrier, user, { remoteAddress, secure, limits, clock }),
    refuse() {
      // A frame with a fault may come before the end.
      webSocket.on('error', () => undefined);
      webSocket.close(tryAgainLater);
      endNow(carrier);
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  endNow(socket, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Ends a connection that no limit counts, without waiting for its client to close it. */
function endNow(socket: Duplex, last?: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(last);
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.join(',') ?? '');
}
