import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Log } from '../../support/log.ts';
import { OperationError, statusOf, toOperationError } from './operation-error.ts';
import type { Operations } from './operations.ts';
import { routes } from './routes.ts';
import { socketAddress } from './socket-path.ts';

// An import would make all that the module exports, and with it an HTTP client of several megabytes.
const { createServer } = process.getBuiltinModule('node:http');

/** Room for a batch of imported accounts. */
const largestBodyBytes = 32 * 1024 * 1024;

/** What addresses are relative to. */
const root = 'http://control';

/** What the control server needs. */
interface ControlServerDeps {
  /** Where the socket is made, see `controlSocketPath`. */
  readonly path: string;
  readonly administration: Operations;
  readonly log: Log;
}

/** The control socket while it is open. */
export interface ControlServer {
  /** Takes no more requests, finishes those at work and removes the socket. */
  close(): Promise<void>;
}

/** Lets whoever may open the socket, its owner and root, administer the server. Rejects if another server answers there. */
export async function startControlServer(deps: ControlServerDeps): Promise<ControlServer> {
  const atWork: AtWork = new Set();
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, (request, response) => {
    void respond(deps, request, response, atWork);
  });
  await mkdir(dirname(deps.path), { recursive: true, mode: 0o700 });
  await listen(server, deps.path);
  await chmod(deps.path, 0o600).catch(async (error: unknown) => {
    await close(server, atWork);
    throw error;
  });
  server.on('error', (error) => deps.log.error({ err: error }, 'the control socket failed'));
  return { close: () => close(server, atWork) };
}

/** The requests that are being carried out. */
type AtWork = Set<Promise<void>>;

async function listen(server: Server, path: string): Promise<void> {
  const address = socketAddress(path);
  try {
    await listening(server, address);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    if (await answers(address)) throw new OperationError('conflict', `Another server answers at ${path}.`);
    // What a killed server left behind.
    await rm(path, { force: true });
    await listening(server, address);
  }
}

async function listening(server: Server, address: string): Promise<void> {
  server.listen(address);
  await once(server, 'listening');
}

async function answers(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function close(server: Server, atWork: AtWork): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await Promise.all(atWork);
  server.closeAllConnections();
  await closed;
}

async function respond(
  deps: ControlServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  atWork: AtWork,
): Promise<void> {
  // What is no address leads nowhere, as the root does.
  const url = URL.parse(request.url ?? '', root) ?? new URL(root);
  const operation = `${request.method} ${url.pathname}`;
  const input = inputOf(request, url);
  // Before all of it is here nothing has begun, and there is nothing to wait for.
  await input.catch(() => undefined);
  const work = carryOut(deps, operation, input, response);
  atWork.add(work);
  await work;
  atWork.delete(work);
}

async function carryOut(
  { administration, log }: ControlServerDeps,
  operation: string,
  input: Promise<unknown>,
  response: ServerResponse,
): Promise<void> {
  try {
    const given = await input;
    const result = await run(administration, operation, given);
    // Looking changes nothing.
    const level = operation.startsWith('GET ') ? 'debug' : 'info';
    log[level]({ operation, ...subjectOf(given) }, 'administration');
    await send(response, 200, result ?? {});
  } catch (error) {
    const known = toOperationError(error);
    if (known === undefined) log.error({ operation, err: error }, 'administration failed');
    else log.warn({ operation, reason: known.message }, 'administration refused');
    await sendError(response, known ?? new OperationError('failed', 'The server failed: see its log.'));
  }
}

function run(operations: Operations, operation: string, input: unknown): Promise<unknown> {
  const route = routes.get(operation);
  if (route === undefined) throw new OperationError('failed', `This server does not know ${operation}.`);
  return route.run(operations, input);
}

/** The JSON of the body, or the query of a request without one. */
async function inputOf(request: IncomingMessage, url: URL): Promise<unknown> {
  const body = await bodyOf(request);
  if (body.length === 0) return Object.fromEntries(url.searchParams);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new OperationError('invalid', 'The request is not JSON.');
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > largestBodyBytes) break;
      chunks.push(chunk);
    }
  } catch {
    throw new OperationError('invalid', 'The request was broken off.');
  }
  if (length > largestBodyBytes) throw new OperationError('invalid', 'The request is too large.');
  return Buffer.concat(chunks);
}

/** Whom an operation is about: the one part of its input that may be logged. */
function subjectOf(input: unknown): object {
  if (typeof input !== 'object' || input === null || !('jid' in input)) return {};
  return { jid: input.jid };
}

function sendError(response: ServerResponse, { code, message }: OperationError): Promise<void> {
  return send(response, statusOf(code), { error: { code, message } });
}

async function send(response: ServerResponse, status: number, value: unknown): Promise<void> {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(value)}\n`);
  // Whoever asked may have gone meanwhile.
  await finished(response).catch(() => undefined);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
