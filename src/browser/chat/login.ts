import { ns } from '../../protocol/namespaces.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { childOf, el, elementsOf, textOf, type XmlElement } from './element.ts';
import { type Exchange, passwordExchange, tokenExchange, tokenMechanism } from './sasl.ts';
import { conditionOf, type Stream } from './stream.ts';

/** A tab of a user. */
interface Device {
  readonly username: string;
  /** The id of this tab among the devices of the user. */
  readonly agent: string;
  /** Its name for the user. */
  readonly device: string;
}

/** What a user logs in with. */
export interface Credentials extends Device {
  readonly secret: { readonly password: string } | { readonly token: string };
}

/** A session that may be resumed, and the number of stanzas that were handled in it. */
interface Resumption {
  readonly id: string;
  readonly handled: number;
}

/** What the server says to a user who has logged in. */
export interface LoggedIn {
  /** The full address. */
  readonly jid: string;
  /** A token for the next login, if the server gave a new one. */
  readonly token: string | undefined;
  /** The number of stanzas that the server has handled in the session that was resumed, or in the one that could not be. */
  readonly handled: number | undefined;
  readonly resumed: boolean;
  /** The id by which the new session can be resumed. */
  readonly resumable: string | undefined;
}

/** The server does not let the user in. */
export class LoginRefused extends Error {
  readonly condition: string;

  constructor(condition: string) {
    super(`login refused: ${condition}`);
    this.name = 'LoginRefused';
    this.condition = condition;
  }
}

/**
 * Logs in, and resumes a session or binds a new one, in one step (XEP-0388, XEP-0386, XEP-0484). Rejects with `LoginRefused` or
 * `StreamClosed`.
 */
export async function logIn(
  stream: Stream,
  features: XmlElement,
  credentials: Credentials,
  resumption: Resumption | undefined,
): Promise<LoggedIn> {
  const exchange = exchangeFor(features, credentials);
  stream.send(await request(exchange, credentials, resumption));
  for (;;) {
    const answer = await stream.next('challenge', 'success', 'failure', 'continue');
    switch (answer.name) {
      case 'challenge': {
        const response = await exchange.respond(fromBase64(textOf(answer)));
        stream.send(el(ns.sasl2, 'response', {}, toBase64(response)));
        break;
      }
      case 'success':
        return loggedIn(answer, exchange);
      default:
        throw new LoginRefused(conditionOf(answer, ns.sasl) ?? 'unknown');
    }
  }
}

/** Makes a token worthless (XEP-0484 §3.6). Rejects with `StreamClosed`. */
export async function revokeToken(stream: Stream, device: Device, token: string): Promise<void> {
  const exchange = tokenExchange(device.username, token);
  const fast = el(ns.fast, 'fast', { invalidate: 'true' });
  stream.send(await authenticate(exchange, device, fast));
  await stream.next('success', 'failure');
}

function exchangeFor(features: XmlElement, { username, secret }: Credentials): Exchange {
  const authentication = childOf(features, 'authentication', ns.sasl2);
  if ('token' in secret) return tokenExchange(username, secret.token);
  const offered = elementsOf(authentication).filter(({ name }) => name === 'mechanism');
  const exchange = passwordExchange(offered.map(textOf), username, secret.password);
  if (!exchange) throw new LoginRefused('invalid-mechanism');
  return exchange;
}

async function request(
  exchange: Exchange,
  credentials: Credentials,
  resumption: Resumption | undefined,
): Promise<XmlElement> {
  return authenticate(
    exchange,
    credentials,
    'token' in credentials.secret ? el(ns.fast, 'fast') : undefined,
    el(ns.fast, 'request-token', { mechanism: tokenMechanism }),
    resumption && el(ns.streamManagement, 'resume', { previd: resumption.id, h: resumption.handled }),
    el(
      ns.bind2,
      'bind',
      {},
      el(ns.bind2, 'tag', {}, 'chat'),
      el(ns.carbons, 'enable'),
      el(ns.streamManagement, 'enable', { resume: 'true' }),
    ),
  );
}

async function authenticate(
  exchange: Exchange,
  { agent, device }: Device,
  ...inline: readonly (XmlElement | undefined)[]
): Promise<XmlElement> {
  return el(
    ns.sasl2,
    'authenticate',
    { mechanism: exchange.mechanism },
    el(ns.sasl2, 'initial-response', {}, toBase64(await exchange.initial())),
    el(
      ns.sasl2,
      'user-agent',
      { id: agent },
      el(ns.sasl2, 'software', {}, 'Ampere chat'),
      el(ns.sasl2, 'device', {}, device),
    ),
    ...inline,
  );
}

function loggedIn(success: XmlElement, exchange: Exchange): LoggedIn {
  const proof = childOf(success, 'additional-data', ns.sasl2);
  if (!proof || !exchange.proves(fromBase64(textOf(proof))))
    throw new LoginRefused('the server does not know the secret');
  const resumed = childOf(success, 'resumed', ns.streamManagement);
  const h = (resumed ?? childOf(success, 'failed', ns.streamManagement))?.attributes['h'];
  const enabled = childOf(childOf(success, 'bound', ns.bind2), 'enabled', ns.streamManagement);
  return {
    jid: textOf(childOf(success, 'authorization-identifier', ns.sasl2)),
    token: childOf(success, 'token', ns.fast)?.attributes['token'],
    handled: h === undefined ? undefined : Number(h),
    resumed: resumed !== undefined,
    resumable: enabled?.attributes['id'],
  };
}
