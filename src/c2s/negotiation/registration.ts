import { Jid } from '../../protocol/jid.ts';
import { ifAddress } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { errorReply, iqResult } from '../../protocol/stanza-replies.ts';
import { checkStanza } from '../../protocol/stanza-rules.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { Clock } from '../../support/clock.ts';
import { networkOf } from '../../support/network-of.ts';
import { TokenBucket } from '../../support/token-bucket.ts';
import { type Element, textOf, xml } from '../../xml/element.ts';
import { refuseAccount } from '../account-refusal.ts';
import type { NegotiatingStream, StreamFacts, StreamFeature } from './stream-feature.ts';

/** How many accounts one address may register. */
interface RegistrationLimits {
  readonly perAddress: number;
  readonly windowMs: number;
}

/** Dependencies of in-band registration. */
export interface RegistrationDeps {
  readonly create: (account: Jid, password: string) => Promise<void>;
  readonly limits: RegistrationLimits;
  /** Whether it may be done without TLS. */
  readonly withoutTls: boolean;
  readonly clock: Clock;
}

/** In-band registration before authentication (XEP-0077 §3.1). Off unless the operator opens it. */
export function registration(deps: RegistrationDeps): StreamFeature {
  const throttle = new Throttle(deps.limits, deps.clock);
  const needs = ({ secure, identity }: StreamFacts) => !identity && (secure || deps.withoutTls);
  return {
    name: 'register',
    exclusive: false,
    needs,
    offer: () => [xml('register', { xmlns: ns.registerFeature })],
    handles: (frame) => frame.name === 'iq' && frame.payload.has('query', ns.register),
    negotiate(stream, frame, offered) {
      const request = Stanza.fromFrame(frame);
      return answered(stream, request, () => {
        if (!offered) throw StanzaError.notAllowed();
        return take(stream, request, deps, throttle);
      });
    },
  };
}

async function answered(
  stream: NegotiatingStream,
  request: Stanza,
  run: () => MaybePromise<Element | undefined>,
): Promise<void> {
  try {
    stream.sendStanza(iqResult(request, await run()));
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    const reply = errorReply(request, error);
    if (reply) stream.sendStanza(reply);
  }
}

function take(
  stream: NegotiatingStream,
  request: Stanza,
  deps: RegistrationDeps,
  throttle: Throttle,
): MaybePromise<Element | undefined> {
  const fault = checkStanza(request);
  if (fault) throw fault;
  if (request.type === 'get') return form();
  if (request.type === 'set') return register(stream, request, deps, throttle);
  throw StanzaError.badRequest();
}

function form(): Element {
  return xml(
    'query',
    { xmlns: ns.register },
    xml('instructions', { xmlns: ns.register }, 'Choose a user name and a password.'),
    xml('username', { xmlns: ns.register }),
    xml('password', { xmlns: ns.register }),
  );
}

async function register(
  stream: NegotiatingStream,
  request: Stanza,
  deps: RegistrationDeps,
  throttle: Throttle,
): Promise<undefined> {
  const [query] = request.payload.elements();
  const username = query?.getChild('username', ns.register);
  const password = query?.getChild('password', ns.register);
  if (!username || !password) throw StanzaError.notAcceptable('a user name and a password are required');
  const account = accountJid(textOf(username), stream.host);
  if (!throttle.admit(stream.remoteAddress))
    throw StanzaError.resourceConstraint('too many registrations; try again later');
  await deps.create(account, textOf(password)).catch(refuseAccount);
  return undefined;
}

function accountJid(username: string, host: string): Jid {
  const account = ifAddress(() => Jid.from(username, host));
  if (!account?.local) throw StanzaError.notAcceptable('the user name is not allowed');
  return account;
}

/** Registrations by address (XEP-0077 §6); remembers no more addresses than can be active in one window. */
class Throttle {
  readonly #limits: RegistrationLimits;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limits: RegistrationLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  admit(address: string): boolean {
    for (const [network, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(network);
    const network = networkOf(address);
    const { perAddress, windowMs } = this.#limits;
    const bucket =
      this.#buckets.get(network) ?? new TokenBucket((perAddress * 1000) / windowMs, perAddress, this.#clock);
    this.#buckets.set(network, bucket);
    return bucket.tryTake();
  }
}
