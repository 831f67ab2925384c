import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import type { BoundOperation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Audit } from './audit.ts';
import { statusOf, toOperationError } from './error-status.ts';
import { type Requester, requesterOf } from './requester.ts';
import { socketAddress } from './socket-path.ts';

// An import would initialize every export, including an HTTP client that takes several megabytes.
const { createServer } = process.getBuiltinModule('node:http');

/** Enough for a batch of imported accounts. */
const largestBodyBytes = 32 * 1024 * 1024;

/** The time between two signs of life while an operation runs. */
const signOfLifeMs = 20_000;

/** The base of relative request URLs. */
const root = 'http://control';

/** Dependencies of the control server. */
interface ControlServerDeps {
  /** The path of the socket, see `controlSocketPath`. */
  readonly path: string;
  readonly operations: readonly BoundOperation[];
  readonly audit: Pick<Audit, 'recorded'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** An open control socket. */
export interface ControlServer {
  /** Stops accepting requests, finishes the running ones and removes the socket. */
  close(): Promise<void>;
}

/** Opens the control socket, through which its owner and root administer the server. Rejects if another server answers there. */
export async function startControlServer(deps: ControlServerDeps): Promise<ControlServer> {
  const { path, operations, log } = deps;
  const stop = new AbortController();
  const work: Work = { ...deps, operations: byName(operations), running: new Set(), stopped: stop.signal };
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, (request, response) => {
    void respond(work, request, response);
  });
  const end = () => {
    stop.abort();
    return close(server, work);
  };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await listen(server, path);
  await chmod(path, 0o600).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  server.on('error', (error) => log.error({ err: error }, 'the control socket failed'));
  return { close: end };
}

/** State shared by all requests. */
interface Work extends Pick<ControlServerDeps, 'audit' | 'clock'> {
  /** The operations by method and path. */
  readonly operations: ReadonlyMap<string, BoundOperation>;
  /** The running requests. */
  readonly running: Set<Promise<void>>;
  readonly stopped: AbortSignal;
}

function byName(operations: readonly BoundOperation[]): Map<string, BoundOperation> {
  const found = new Map(operations.map((one) => [`${one.method} ${one.path}`, one]));
  if (found.size < operations.length) throw new Error('two operations have the same method and path');
  return found;
}

async function listen(server: Server, path: string): Promise<void> {
  const address = socketAddress(path);
  try {
    await listening(server, address);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    if (await answers(address)) throw new OperationError('conflict', `Another server answers at ${path}.`);
    // A killed server left the socket behind.
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

async function close(server: Server, { running }: Work): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await Promise.all(running);
  server.closeAllConnections();
  await closed;
}

async function respond(work: Work, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // An unparsable URL finds no operation, like the root.
  const url = URL.parse(request.url ?? '', root) ?? new URL(root);
  const name = `${request.method} ${url.pathname}`;
  const input = inputOf(request, url);
  // The operation starts when the whole request has arrived. Until then close() does not wait for it.
  await input.catch(() => undefined);
  const done = carryOut(work, name, { requester: requesterOf(request.headers), input }, response);
  work.running.add(done);
  await done;
  work.running.delete(done);
}

/** A request to the control socket. */
interface Asked {
  readonly requester: Requester;
  readonly input: Promise<unknown>;
}

async function carryOut(
  { operations, audit, clock, stopped }: Work,
  name: string,
  { requester, input }: Asked,
  response: ServerResponse,
): Promise<void> {
  const signs = signsOfLife(response, clock);
  try {
    const given = await input;
    const operation = operations.get(name);
    if (operation === undefined) throw new OperationError('failed', `This server does not support ${name}.`);
    const result = await audit.recorded(requester, operation, given, () => operation.run(given, stopped));
    signs.end();
    if (isSequence(result)) await sendAll(response, result);
    else await send(response, 200, result ?? {});
  } catch (error) {
    signs.end();
    const unexpected = new OperationError('failed', 'The operation failed unexpectedly: see the log of the server.');
    await sendError(response, toOperationError(error) ?? unexpected);
  }
}

/** Tells the client now and then that its operation goes on, so that it can tell long work from a server that hangs (RFC 2518 §10.1). */
function signsOfLife(response: ServerResponse, clock: Pick<Clock, 'after'>): { readonly end: () => void } {
  const next = (): Timer =>
    clock.after(signOfLifeMs, () => {
      response.writeProcessing();
      timer = next();
    });
  let timer: Timer = next();
  return { end: () => timer.cancel() };
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
    throw new OperationError('invalid', 'The request is incomplete.');
  }
  if (length > largestBodyBytes) throw new OperationError('invalid', 'The request is too large.');
  return Buffer.concat(chunks);
}

function sendError(response: ServerResponse, { code, message }: OperationError): Promise<void> {
  return send(response, statusOf(code), { error: { code, message } });
}

async function send(response: ServerResponse, status: number, value: unknown): Promise<void> {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(value)}\n`);
  // The client may have disconnected.
  await finished(response).catch(() => undefined);
}

/** Whether an operation answers with any number of values, one after the other. */
function isSequence(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/** Sends each value on a line of its own, no faster than the client reads. Ends the sequence when the client disconnects. */
async function sendAll(response: ServerResponse, values: AsyncIterable<unknown>): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  response.on('close', () => void iterator.return?.());
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.flushHeaders();
  for (let next = await iterator.next(); !next.done && !response.destroyed; next = await iterator.next()) {
    if (!response.write(`${JSON.stringify(next.value)}\n`))
      await Promise.race([once(response, 'drain'), closed(response)]);
  }
  response.end();
  await finished(response).catch(() => undefined);
}

function closed(response: ServerResponse): Promise<void> {
  return finished(response).catch(() => undefined);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
