import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { HttpRoute } from '../../../src/routing/http-route.ts';
import type { Clock } from '../../../src/support/clock.ts';
import { systemClock } from '../../../src/support/clock.ts';
import { Tally } from '../../../src/support/metric.ts';
import { networkList } from '../../../src/support/network-list.ts';
import {
  type HttpLimits,
  HttpListener,
  type HttpListenerDeps,
  type Site,
} from '../../../src/web/http/http-listener.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const host = '127.0.0.1';

const usualLimits: HttpLimits = {
  headerBytes: 4096,
  tlsHandshakeMs: 10_000,
  headersMs: 60_000,
  requestMs: 60_000,
  keepAliveMs: 60_000,
  stallMs: 60_000,
};

interface Wanted {
  readonly limits?: Partial<HttpLimits>;
  readonly limiter?: HttpListenerDeps['limiter'];
  readonly certificates?: HttpListenerDeps['certificates'];
  readonly trustedProxies?: readonly string[];
  readonly strictTransportSecurity?: string;
  readonly servesHost?: Site['servesHost'];
  readonly clock?: Clock;
}

/** A listener with trial routes, on ports of the system's choice. */
export class TrialListener {
  readonly log = new RecordingLog();
  readonly requests = new Tally<'route' | 'code'>();
  /** The addresses of the connections that were counted out again. */
  readonly released: string[] = [];
  readonly listener: HttpListener;

  constructor(routes: readonly HttpRoute[], wanted: Wanted = {}) {
    const certificates = {
      single: true,
      contextFor: () => {
        throw new Error('no certificates');
      },
    };
    this.listener = new HttpListener({
      site: {
        routes,
        trustedProxies: networkList(wanted.trustedProxies ?? []),
        strictTransportSecurity: wanted.strictTransportSecurity,
        servesHost: wanted.servesHost ?? (() => true),
      },
      requests: this.requests,
      limits: { ...usualLimits, ...wanted.limits },
      limiter: wanted.limiter ?? {
        admit: () => true,
        release: (address) => void this.released.push(address ?? 'a proxy'),
        backlog: 10,
      },
      certificates: wanted.certificates ?? certificates,
      clock: wanted.clock ?? systemClock,
      log: this.log,
    });
  }

  async open(tls: 'direct' | 'none' = 'none'): Promise<number> {
    return (await this.listener.listen({ host, port: 0, optional: false }, tls))?.port ?? 0;
  }
}

/** A connection of a client. */
export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return socket;
}

/** A connection of a client with TLS. */
export async function connectedTls(port: number, options: ConnectionOptions): Promise<ReturnType<typeof connectTls>> {
  const socket = connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything the server sends until it closes the connection. */
export function remaining(socket: Socket): Promise<string> {
  return text(socket);
}

/** The whole answer to a request that asks for the connection to be closed. */
export async function exchange(
  port: number,
  start: string,
  body = '',
  headers: readonly string[] = [],
): Promise<string> {
  const socket = await connected(port);
  socket.write(requestText(start, ['Connection: close', ...headers], body));
  return remaining(socket);
}

/** A request as bytes. */
export function requestText(start: string, headers: readonly string[] = [], body = ''): string {
  const length =
    body === '' || headers.some((header) => header.startsWith('Transfer')) ? [] : [`Content-Length: ${body.length}`];
  return `${[`${start} HTTP/1.1`, 'Host: localhost', ...length, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

/** Reads until a text has arrived. */
export function readUntil(socket: Socket, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const take = (chunk: Buffer) => {
      seen += chunk.toString();
      if (!seen.includes(wanted)) return;
      socket.off('data', take);
      resolve(seen);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(`closed before ${wanted}: ${seen}`)));
  });
}
