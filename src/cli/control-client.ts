import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { OperationError } from '../routing/operation-error.ts';
import { codeOf } from '../web/control/error-status.ts';
import type { Callable } from '../web/control/operator.ts';
import { operatorHeader } from '../web/control/requester.ts';
import { controlSocketPath, socketAddress } from '../web/control/socket-path.ts';

/** The longest silence of a server that works: it sends a sign of life every 20 seconds. */
const longestSilenceMs = 60_000;

/** Calls operations of a running server through its control socket. */
export class ControlClient {
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
  }

  /** Connects to the server of a data directory. Undefined if no server is running; rejects if this user may not open the socket. */
  static async connect(dataDir: string): Promise<ControlClient | undefined> {
    const path = controlSocketPath(dataDir);
    const address = socketAddress(path);
    const socket = connect(address);
    try {
      await once(socket, 'connect');
      return new ControlClient(address);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw new OperationError('not-running', `Cannot connect to the server at ${path}: ${reason(error)}.`);
    } finally {
      socket.destroy();
    }
  }

  /** Runs an operation in the server. */
  async call<Context, Input extends object, Result>(
    { method, path }: Callable<Context, Input, Result>,
    input: Input,
  ): Promise<Result> {
    const request = method === 'GET' || method === 'DELETE' ? inQuery(path, input) : inBody(path, input);
    const { status, content } = await this.#roundTrip(method, request);
    if (status === 200) return JSON.parse(content);
    throw failureOf(status, content);
  }

  /** Runs an operation that answers with any number of values, and gives each when it comes. */
  async *follow<Context, Input extends object, Value>(
    { method, path }: Callable<Context, Input, AsyncIterable<Value>>,
    input: Input,
  ): AsyncGenerator<Value, void> {
    const response = await this.#request(method, inBody(path, input), 0);
    if (response.statusCode !== 200) throw failureOf(Number(response.statusCode), await text(response));
    for await (const line of createInterface({ input: response })) yield JSON.parse(line);
  }

  async #roundTrip(method: string, request: Request) {
    const response = await this.#request(method, request, longestSilenceMs);
    try {
      return { status: Number(response.statusCode), content: await text(response) };
    } catch (error) {
      throw brokenConnection(error);
    }
  }

  /** A timeout of 0 ms means no timeout. */
  async #request(method: string, { path, body }: Request, timeoutMs: number): Promise<IncomingMessage> {
    // An import would initialize every export, including an HTTP client that is slow to load.
    const { request } = process.getBuiltinModule('node:http');
    const headers = { 'content-length': body.length, [operatorHeader]: encodeURIComponent(operatorName()) };
    const outgoing = request({ socketPath: this.#address, method, path, headers, timeout: timeoutMs, agent: false });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.end(body);
    try {
      const [response] = await once(outgoing, 'response');
      return response;
    } catch (error) {
      throw brokenConnection(error);
    }
  }
}

/** The user who runs this program, for the audit log. */
export function operatorName(): string {
  const { SUDO_USER: before } = process.env;
  const name = userName();
  return before === undefined || before === name ? name : `${before} as ${name}`;
}

/** A process in a container may have a user without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function failureOf(status: number, content: string): OperationError {
  const { error }: { error: { message: string } } = JSON.parse(content);
  return new OperationError(codeOf(status), error.message);
}

function brokenConnection(error: unknown): OperationError {
  return new OperationError('not-running', `The connection to the server failed: ${reason(error)}.`);
}

interface Request {
  readonly path: string;
  readonly body: Buffer;
}

function inQuery(path: string, input: object): Request {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input)) if (value !== undefined) query.set(name, String(value));
  return { path: `${path}?${query}`, body: Buffer.alloc(0) };
}

function inBody(path: string, input: object): Request {
  return { path, body: Buffer.from(JSON.stringify(input)) };
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
