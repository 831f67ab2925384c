import { createHmac } from 'node:crypto';
import { ScramClient } from './scram-client.ts';
import type { Login, TestClient } from './test-client.ts';
import { childOf, findTree, type Tree } from './xml-tree.ts';

const sasl2 = 'urn:xmpp:sasl:2';
const anything = `<any. xmlns="${sasl2}">...</any.>`;
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

/** A login by SASL2, and what it asks for besides. */
export interface Sasl2Login extends Login {
  /** What stands in <authenticate/> behind the initial response. */
  readonly inline?: string;
}

/** A login by a token (XEP-0484 §3.4). */
export interface TokenLogin {
  readonly username: string;
  readonly token: string;
  readonly mechanism?: string;
  /** The connection whose channel binding is used; its own unless given. */
  readonly boundTo?: TestClient;
  /** Attributes of <fast/>. */
  readonly attributes?: string;
  /** What stands in <authenticate/> behind the initial response. */
  readonly inline?: string;
}

/** Goes through a SASL2 exchange (XEP-0388 §2.3); returns what ends it. */
export async function logsIn(client: TestClient, { inline = '', ...login }: Sasl2Login): Promise<Tree> {
  const { mechanism = 'SCRAM-SHA-256' } = login;
  const scram = mechanism === 'PLAIN' ? undefined : new ScramClient({ ...client.scramOptions(login), mechanism });
  const first = scram?.first() ?? `\0${login.username}\0${login.password}`;
  client.sends(authenticate(mechanism, first, inline));
  const answer = await client.receives(anything);
  if (!scram || answer.name !== 'challenge') return answer;
  client.sends(`<response xmlns="${sasl2}">${base64(scram.final(Buffer.from(answer.text, 'base64')))}</response>`);
  const outcome = await client.receives(anything);
  if (outcome.name !== 'failure') scram.verify(dataOf(outcome));
  return outcome;
}

/** Logs in by a token, written from draft-schmaus-kitten-sasl-ht-09 alone; returns what the server answers. */
export async function showsToken(client: TestClient, login: TokenLogin): Promise<Tree> {
  const { username, token, mechanism = 'HT-SHA-256-NONE', boundTo = client, attributes = '', inline = '' } = login;
  const bound = bindingOf(boundTo, mechanism);
  const hash = (role: string) => createHmac('sha256', token).update(role).update(bound).digest();
  const message = Buffer.concat([Buffer.from(`${username}\0`), hash('Initiator')]);
  client.sends(authenticate(mechanism, message, `<fast xmlns="urn:xmpp:fast:0"${attributes}/>${inline}`));
  const outcome = await client.receives(anything);
  if (outcome.name === 'success' && !dataOf(outcome)?.equals(hash('Responder'))) {
    throw new Error('the server does not know the token');
  }
  return outcome;
}

/** The token in a <success/>. */
export function tokenIn(success: Tree): { token: string; expiry: string } {
  const attributes = findTree(success, 'token')?.attributes;
  const [token, expiry] = [attributes?.get('token'), attributes?.get('expiry')];
  if (token === undefined || expiry === undefined) throw new Error(`there is no token in ${success.raw}`);
  return { token, expiry };
}

function authenticate(mechanism: string, message: string | Buffer, inline: string): string {
  const response = `<initial-response>${base64(message)}</initial-response>`;
  return `<authenticate xmlns="${sasl2}" mechanism="${mechanism}">${response}${inline}</authenticate>`;
}

function bindingOf(client: TestClient, mechanism: string): Buffer {
  if (mechanism.endsWith('-EXPR')) return client.bindingData('tls-exporter');
  if (mechanism.endsWith('-ENDP')) return client.bindingData('tls-server-end-point');
  return Buffer.alloc(0);
}

function dataOf(outcome: Tree): Buffer | undefined {
  const data = childOf(outcome, 'additional-data');
  return data && Buffer.from(data.text, 'base64');
}
