import { expect } from 'chai';
import { StoredCredentials } from '../../../../src/c2s/negotiation/sasl/credential-source.ts';
import { deriveCredentials } from '../../../../src/c2s/negotiation/sasl/credentials.ts';
import type { SaslContext, SaslExchange, SaslStep } from '../../../../src/c2s/negotiation/sasl/mechanism.ts';
import { mechanismNames } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { Pbkdf2Queue } from '../../../../src/c2s/negotiation/sasl/pbkdf2-queue.ts';
import { type SaslCondition, SaslFailure } from '../../../../src/protocol/sasl-failure.ts';
import type { AccountCredentials, AccountStore, Credentials } from '../../../../src/storage/accounts.ts';

/** Few, for speed; nothing tested here depends on the number. */
export const iterations = 16;

export const domain = 'example.org';

export const exporterBytes = Buffer.from('what both ends of the TLS session know');
export const endPointBytes = Buffer.from('the hash of a certificate');
export const uniqueBytes = Buffer.from('how the client ended the handshake');

/** Accounts in memory, and what was written to them. */
export class MemoryAccounts implements Pick<AccountStore, 'credentials' | 'credentialsVersion' | 'setCredentials'> {
  readonly rows = new Map<string, Credentials>();
  #version = 0;

  async credentials(jid: string): Promise<AccountCredentials | undefined> {
    const credentials = this.rows.get(jid);
    return credentials && { ...credentials, passwordVersion: 1 };
  }

  credentialsVersion(): number {
    return this.#version;
  }

  async setCredentials(jid: string, credentials: Credentials): Promise<void> {
    this.#version++;
    this.rows.set(jid, credentials);
  }

  remove(user: string): void {
    this.#version++;
    this.rows.delete(`${user}@${domain}`);
  }

  /** Gives a user of the test domain a password. */
  async add(user: string, password: string): Promise<void> {
    await this.setCredentials(`${user}@${domain}`, await deriveCredentials(password, iterations));
  }
}

/** A stream of the test domain under TLS, offered everything. */
export function contextOf(accounts: MemoryAccounts, changes: Partial<SaslContext> = {}): SaslContext {
  return {
    domain,
    offered: mechanismNames,
    channelBindings: [
      { type: 'tls-exporter', advertised: true, data: () => exporterBytes },
      { type: 'tls-server-end-point', advertised: true, data: () => endPointBytes },
      { type: 'tls-unique', advertised: false, data: () => uniqueBytes },
    ],
    secure: true,
    credentials: new StoredCredentials(accounts, Buffer.alloc(32, 7), { scramIterations: iterations }),
    pbkdf2: new Pbkdf2Queue(),
    ...changes,
  };
}

/** The offer of a stream that cannot bind to its channel. */
export const unboundOffer: Partial<SaslContext> = {
  offered: mechanismNames.filter((name) => !name.endsWith('-PLUS')),
  channelBindings: [],
};

export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** The data of a step that must be a challenge. */
export function challengeOf(step: SaslStep): Buffer {
  if (step.kind !== 'challenge') throw new Error(`not a challenge but ${step.kind}`);
  return step.data;
}

/** The failure some work ends with; anything else it throws, and success, fails the test. */
export async function failureOf(work: () => Promise<unknown> | unknown): Promise<SaslFailure> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof SaslFailure) return error;
    throw error;
  }
  throw new Error(`did not fail but returned ${JSON.stringify(result)}`);
}

/** Demands that this response fails the exchange, with this condition. */
export async function expectFailure(exchange: SaslExchange, response: Buffer, condition: SaslCondition): Promise<void> {
  expect((await failureOf(() => exchange.step(response))).condition).to.equal(condition);
}
