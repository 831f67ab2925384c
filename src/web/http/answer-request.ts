import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import { finished } from 'node:stream/promises';
import {
  type HttpAnswer,
  HttpError,
  type HttpMethod,
  type HttpRequest,
  type HttpRequestHead,
} from '../../routing/http-route.ts';
import { type Clock, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Tally } from '../../support/metric.ts';
import type { TurnBudget } from '../../support/turn-budget.ts';
import { clientOf } from './client-of.ts';
import { readableAnswer } from './error-page.ts';
import { requestBody } from './request-body.ts';
import type { PathMatch, RouteMatch, RouteTable } from './route-table.ts';

/** What is served when a request comes. */
export interface ServedSite {
  readonly routes: RouteTable;
  readonly trustedProxies: BlockList;
  /** The header of answers over TLS that keeps browsers there (RFC 6797 §6.1); undefined for none. */
  readonly strictTransportSecurity?: string | undefined;
  /** Whether the server answers for the host that a request names. */
  readonly servesHost: (request: IncomingMessage) => boolean;
}

/** Dependencies of `answerRequest`. */
interface AnswerDeps {
  /** Time for the body of a request. */
  readonly requestMs: number;
  /** Whether the server is stopping, which makes every answer the last one on its connection. */
  readonly stopping: () => boolean;
  /** Counts the answers. */
  readonly requests: Tally<'route' | 'code'>;
  /** Shared by everything that moves much through the listener. */
  readonly turns: Pick<TurnBudget, 'take'>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly log: Log;
}

/** A request and its response. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client sends its body: one that waits for the server to want it (RFC 9110 §10.1.1) may not. */
  readonly isBodyInvited: () => boolean;
  readonly turns: Pick<TurnBudget, 'take'>;
  readonly clock: Pick<Clock, 'after'>;
}

/** The parts of a request target: the path as it was sent, and the query. */
interface Target {
  readonly path: string;
  readonly query: string;
}

/** Headers of every answer, unless the route overrides them. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Seconds for which a browser caches the answer to a preflight request. */
const preflightSeconds = 86_400;
const longestLoggedPath = 200;
/** Longer parts of an unknown path are not logged: a link with a mistake in it still has its token. */
const longestLoggedSegment = 20;
/** Time for a client to send the rest of a body after the answer. */
const lingerMs = 30_000;
/** The status for a client that has had its time. */
const tooSlow = 408;

/** For a host that the server does not serve (RFC 9110 §15.5.20). */
const misdirected: HttpAnswer = {
  status: 421,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'This server does not answer for this name. If it should, name the address in web.publicUrl of its configuration.\n',
};

/** Answers one request and logs it. Never rejects. */
export async function answerRequest(
  { requestMs, stopping, requests, turns, clock, log }: AnswerDeps,
  site: ServedSite,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { routes, trustedProxies, servesHost, strictTransportSecurity } = site;
  let isBodyInvited = request.headers.expect === undefined;
  const proceed = () => {
    if (!isBodyInvited) response.writeContinue();
    isBodyInvited = true;
  };
  const exchange = { request, response, isBodyInvited: () => isBodyInvited, turns, clock };
  const startedAtMs = clock.monotonicMs();
  const { socket, method = '' } = request;
  const { bytesWritten } = socket;
  const { remoteAddress, secure } = clientOf(request, trustedProxies);
  const { path } = targetOf(request);
  const found = routes.find(method, path);
  const route = found?.match?.route;
  const read = (match: RouteMatch) => ({
    ...requestHead(match, request, trustedProxies),
    body: requestBody(request, match.route, { requestMs, clock, turns, proceed }),
  });
  const added = () => ({
    ...sharedWith(found?.origins ?? [], request.headers.origin),
    ...(secure && strictTransportSecurity && { 'strict-transport-security': strictTransportSecurity }),
    ...(stopping() && { connection: 'close' }),
  });
  try {
    const isOurs = route?.anyHost || servesHost(request);
    const unknown = isOurs ? { status: 404 } : misdirected;
    const answer = found && isOurs ? await answerAt(found, request, read) : unknown;
    await send(exchange, readableAnswer(request, answer), added());
  } catch (error) {
    // After a client disconnects, every read and write fails.
    if (!socket.destroyed) log.error({ err: error, method, path: found?.pattern }, 'an HTTP request failed');
    if (response.headersSent) socket.destroy();
    else await send(exchange, readableAnswer(request, { status: 500 }), added());
  }
  requests.add({ route: found?.pattern ?? 'unknown', code: String(response.statusCode) });
  const fields = {
    method,
    // A parameter may be a secret.
    path: found?.pattern ?? loggedPath(path),
    status: response.statusCode,
    bytes: socket.bytesWritten - bytesWritten,
    ms: clock.monotonicMs() - startedAtMs,
    remoteAddress,
    ...(!response.writableFinished && { aborted: true }),
  };
  log[route?.quiet ? 'debug' : 'info'](fields, 'HTTP request');
}

/** The route that can upgrade the connection of a request, or undefined. */
export function upgradeRoute(routes: RouteTable, request: IncomingMessage): RouteMatch | undefined {
  if (request.method !== 'GET') return undefined;
  const match = routes.find('GET', targetOf(request).path)?.match;
  return match?.route.upgrade ? match : undefined;
}

/** A request without its body, as its route sees it. */
export function requestHead(
  { parameters }: RouteMatch,
  request: IncomingMessage,
  trustedProxies: BlockList,
): HttpRequestHead {
  return {
    method: request.method as HttpMethod | 'HEAD',
    parameters,
    query: new URLSearchParams(targetOf(request).query),
    headers: request.headers,
    ...clientOf(request, trustedProxies),
    whenLost: (run) => {
      const { socket } = request;
      socket.once('close', run);
      return () => socket.off('close', run);
    },
  };
}

/** Splits the request target (RFC 9112 §3.2): a path with or without a query, or a whole URL from a proxy. */
function targetOf({ url = '' }: IncomingMessage): Target {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?#]+)?([^?]*)\??(.*)$/s.exec(url) ?? [];
  return { path: path === '' ? '/' : path, query };
}

async function answerAt(
  found: PathMatch,
  request: IncomingMessage,
  read: (match: RouteMatch) => HttpRequest,
): Promise<HttpAnswer> {
  const { match, allowed, origins } = found;
  const allow = allowed.join(', ');
  if (request.method === 'OPTIONS')
    return { status: 204, headers: { allow, ...(origins.length > 0 && preflight(allow)) } };
  if (match === undefined) return { status: 405, headers: { allow } };
  const { bodyBytes = 0, silenceMs } = match.route;
  if (Number(request.headers['content-length'] ?? 0) > bodyBytes) return { status: 413 };
  // `node:http` sets the usual limit again for the next request.
  if (silenceMs !== undefined) request.socket.setTimeout(silenceMs);
  try {
    return await match.route.handle(read(match));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { status: error.status };
  }
}

/** The headers that let a web page of `origin` read the answer (CORS), if it is one of `origins`. */
function sharedWith(origins: readonly string[], origin: string | undefined): Readonly<Record<string, string>> {
  if (origins.includes('*')) return { 'access-control-allow-origin': '*' };
  if (origins.length === 0) return {};
  const isKnown = origin !== undefined && origins.includes(origin);
  return { vary: 'Origin', ...(isKnown && { 'access-control-allow-origin': origin }) };
}

function preflight(allow: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'Content-Type, Authorization',
    'access-control-max-age': String(preflightSeconds),
  };
}

async function send(
  exchange: Exchange,
  { status, headers = {}, body = '' }: HttpAnswer,
  added: Readonly<Record<string, string>>,
): Promise<void> {
  const { request, response, isBodyInvited } = exchange;
  const isStream = typeof body !== 'string' && !Buffer.isBuffer(body);
  const isUnread = !request.complete && hasBody(request);
  response.writeHead(status, {
    ...securityHeaders,
    ...added,
    ...(!isStream && status !== 204 && status !== 304 && { 'content-length': String(Buffer.byteLength(body)) }),
    ...(isUnread && { connection: 'close' }),
    ...headers,
  });
  if (!isStream) {
    if (body.length > 0) response.write(body);
  } else if (request.method !== 'HEAD') await sendChunks(exchange, body);
  if (isUnread && isBodyInvited() && status !== tooSlow) await dropRest(exchange);
  response.end();
  // The client may disconnect before it has the whole answer.
  await finished(response).catch(() => undefined);
}

/** Sends a body as it comes, each chunk in a turn of its own. Rejects if the client leaves. */
async function sendChunks({ request, response, turns }: Exchange, body: AsyncIterable<string | Buffer>): Promise<void> {
  for await (const chunk of body) {
    await turns.take(chunk.length);
    await written(request, response, chunk);
  }
}

/** Resolves when nobody needs the memory of the chunk any more. */
function written({ socket }: IncomingMessage, response: ServerResponse, chunk: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error('the client has left'));
    if (socket.destroyed) return lost();
    // An answer behind another one on the same connection learns nothing of its end.
    socket.once('close', lost);
    response.write(chunk, (error) => {
      socket.off('close', lost);
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Reads the rest of a body. If the connection ended with unread bytes, TCP would reset it, and the client could lose the answer
 * (RFC 9112 §9.6).
 */
async function dropRest({ request, response, clock }: Exchange): Promise<void> {
  response.flushHeaders();
  request.resume();
  await within(
    clock,
    lingerMs,
    finished(request).catch(() => undefined),
  );
}

/** The path of an unknown route, as far as it cannot be a secret. */
function loggedPath(path: string): string {
  const segments = path.split('/').map((segment) => (segment.length > longestLoggedSegment ? '…' : segment));
  return segments.join('/').slice(0, longestLoggedPath);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
