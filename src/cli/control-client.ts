import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ComponentReport } from '../components/component.ts';
import type { LinkTestReport } from '../federation/link-test.ts';
import type { PeerStreamReport } from '../federation/peer-report.ts';
import type { Forward } from '../storage/accounts.ts';
import type { ExplainReport, ExplainRequest, SendReport, SendRequest } from '../web/control/message-operations.ts';
import { codeOf, OperationError } from '../web/control/operation-error.ts';
import type {
  ForwardPage,
  ImportedUser,
  ImportReport,
  Operations,
  SessionReport,
  StatusReport,
  UserPage,
} from '../web/control/operations.ts';
import { controlSocketPath, socketAddress } from '../web/control/socket-path.ts';

/** Longer than any answer takes but a backup's. */
const answerTimeoutMs = 60_000;

type Query = Readonly<Record<string, string | number | undefined>>;

/** A running server, by way of its control socket. */
export class ControlClient implements Operations {
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
  }

  /** The server of a data directory, or undefined if none is running; rejects if it may not be asked. */
  static async connect(dataDir: string): Promise<ControlClient | undefined> {
    const path = controlSocketPath(dataDir);
    const address = socketAddress(path);
    const socket = connect(address);
    try {
      await once(socket, 'connect');
      return new ControlClient(address);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw new OperationError('not-running', `The server cannot be asked at ${path}: ${reason(error)}.`);
    } finally {
      socket.destroy();
    }
  }

  async addUser(jid: string, password: string): Promise<string> {
    const answer = await this.#send<{ jid: string }>('POST', '/users', { jid, password });
    return answer.jid;
  }

  async setPassword(jid: string, password: string): Promise<void> {
    await this.#send('PUT', '/users/password', { jid, password });
  }

  async removeUser(jid: string): Promise<void> {
    await this.#ask('DELETE', '/users', { jid });
  }

  async listUsers(page: UserPage): Promise<readonly string[]> {
    const { users } = await this.#ask<{ users: string[] }>('GET', '/users', { ...page });
    return users;
  }

  importUsers(users: readonly ImportedUser[]): Promise<ImportReport> {
    return this.#send('POST', '/users/import', { users });
  }

  async backup(file: string): Promise<void> {
    await this.#send('POST', '/backup', { file }, 0);
  }

  status(): Promise<StatusReport> {
    return this.#ask('GET', '/status', {});
  }

  async sessions(jid?: string): Promise<readonly SessionReport[]> {
    const { sessions } = await this.#ask<{ sessions: SessionReport[] }>('GET', '/sessions', { user: jid });
    return sessions;
  }

  async components(): Promise<readonly ComponentReport[]> {
    const { components } = await this.#ask<{ components: ComponentReport[] }>('GET', '/components', {});
    return components;
  }

  testPeer(remote: string, local?: string): Promise<LinkTestReport> {
    return this.#send('POST', '/s2s/test', { remote, local }, 0);
  }

  async peers(): Promise<readonly PeerStreamReport[]> {
    const { streams } = await this.#ask<{ streams: PeerStreamReport[] }>('GET', '/s2s', {});
    return streams;
  }

  async kick(jid: string, reason?: string): Promise<readonly string[]> {
    const { ended } = await this.#ask<{ ended: string[] }>('DELETE', '/sessions', { jid, reason });
    return ended;
  }

  async reload(): Promise<void> {
    await this.#send('POST', '/reload', {});
  }

  async setForward(jid: string, target: string | undefined): Promise<void> {
    if (target === undefined) await this.#ask('DELETE', '/forwards', { jid });
    else await this.#send('PUT', '/forwards', { jid, target });
  }

  async forwards(page: ForwardPage): Promise<readonly Forward[]> {
    const { forwards } = await this.#ask<{ forwards: Forward[] }>('GET', '/forwards', { ...page });
    return forwards;
  }

  explainMessage(request: ExplainRequest): Promise<ExplainReport> {
    return this.#send('POST', '/messages/explain', request);
  }

  sendMessage(request: SendRequest): Promise<SendReport> {
    return this.#send('POST', '/messages', request, request.waitMs + answerTimeoutMs);
  }

  #ask<Answer>(method: string, path: string, query: Query): Promise<Answer> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    return this.#exchange(method, `${path}?${search}`, Buffer.alloc(0), answerTimeoutMs);
  }

  #send<Answer>(method: string, path: string, body: object, timeoutMs = answerTimeoutMs): Promise<Answer> {
    return this.#exchange(method, path, Buffer.from(JSON.stringify(body)), timeoutMs);
  }

  async #exchange<Answer>(method: string, path: string, body: Buffer, timeoutMs: number): Promise<Answer> {
    const { status, content } = await this.#roundTrip(method, path, body, timeoutMs);
    if (status === 200) return JSON.parse(content);
    const { error }: { error: { message: string } } = JSON.parse(content);
    throw new OperationError(codeOf(status), error.message);
  }

  async #roundTrip(method: string, path: string, body: Buffer, timeoutMs: number) {
    // The dearest import of the whole command line: nobody should wait for it in vain.
    const { request } = await import('node:http');
    const headers = { 'content-length': body.length };
    const outgoing = request({ socketPath: this.#address, method, path, headers, timeout: timeoutMs, agent: false });
    outgoing.on('timeout', () => outgoing.destroy(new Error('it does not answer')));
    outgoing.end(body);
    try {
      const [response] = await once(outgoing, 'response');
      return { status: Number(response.statusCode), content: await text(response) };
    } catch (error) {
      throw new OperationError('not-running', `The server broke off: ${reason(error)}.`);
    }
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
