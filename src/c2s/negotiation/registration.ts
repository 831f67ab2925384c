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
import { TokenBuckets } from '../../support/token-buckets.ts';
import { attribute, type Element, textOf, xml } from '../../xml/element.ts';
import { refuseAccount } from '../account-refusal.ts';
import { type Redemption, type ShownInvitation, TooManyTokens } from '../redemption.ts';
import type { Registrar } from '../registrar.ts';
import type { NegotiatingStream, StreamFacts, StreamFeature } from './stream-feature.ts';

/** How many accounts one address may register without an invitation. */
interface RegistrationLimits {
  readonly perAddress: number;
  readonly windowMs: number;
}

/** Dependencies of in-band registration. */
export interface RegistrationDeps {
  /** Whether anybody may register. If not, only people with an invitation can. */
  readonly open: boolean;
  readonly registrar: Pick<Registrar, 'create'>;
  readonly redemption: Pick<Redemption, 'enabled' | 'find' | 'register'>;
  readonly limits: RegistrationLimits;
  /** Whether it may be done without TLS. */
  readonly withoutTls: boolean;
  readonly clock: Clock;
}

/** In-band registration before authentication (XEP-0077 §3.1): with an invitation (XEP-0445) or, if the operator opens it, without one. */
export function registration(deps: RegistrationDeps): StreamFeature {
  const requests = new Registration(deps);
  const { enabled } = deps.redemption;
  // Clients with an invitation look for all three: the second is the one of XEP-0445, the third an older name.
  const offered = [ns.registerFeature, ...(enabled ? [ns.registerByToken, ns.legacyRegisterByToken] : [])];
  return {
    name: 'register',
    exclusive: false,
    needs: ({ secure, identity }: StreamFacts) => !identity && (secure || deps.withoutTls),
    offer: () => offered.map((xmlns) => xml('register', { xmlns })),
    handles: ({ name, payload }) =>
      name === 'iq' && (payload.has('query', ns.register) || payload.has('preauth', ns.preauth)),
    negotiate(stream, frame, isOffered) {
      const request = Stanza.fromFrame(frame);
      return answered(stream, request, () => {
        if (!isOffered) throw StanzaError.notAllowed();
        return requests.take(stream, request);
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

/** Answers the requests of all streams. */
class Registration {
  readonly #deps: RegistrationDeps;
  /** Registrations by address (XEP-0077 §6). */
  readonly #allowance: TokenBuckets;
  /** The invitations that streams have shown. */
  readonly #shown = new WeakMap<NegotiatingStream, ShownInvitation>();

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
    const { perAddress, windowMs } = deps.limits;
    this.#allowance = new TokenBuckets({ perSecond: (perAddress * 1000) / windowMs, burst: perAddress }, deps.clock);
  }

  take(stream: NegotiatingStream, request: Stanza): MaybePromise<Element | undefined> {
    const fault = checkStanza(request);
    if (fault) throw fault;
    const [payload] = request.payload.elements();
    if (payload?.getName() === 'preauth') return this.#show(stream, request, payload);
    if (request.type === 'get') return form(this.#shown.get(stream));
    if (request.type === 'set') return this.#register(stream, payload);
    throw StanzaError.badRequest();
  }

  /** Takes a token (XEP-0445 §4). It is used only when the account is registered. */
  async #show(stream: NegotiatingStream, { type }: Stanza, preauth: Element): Promise<undefined> {
    const token = attribute(preauth, 'token');
    if (type !== 'set' || token === undefined) throw StanzaError.badRequest();
    const { host: domain, remoteAddress } = stream;
    const found = await this.#deps.redemption
      .find(token, ['account'], { remoteAddress, domain })
      .catch(refuseTooManyTokens);
    if (!found) throw StanzaError.itemNotFound('the invitation is not valid, or not valid any more');
    this.#shown.set(stream, found);
    return undefined;
  }

  async #register(stream: NegotiatingStream, query: Element | undefined): Promise<undefined> {
    const { open, registrar, redemption } = this.#deps;
    const invitation = this.#shown.get(stream);
    if (!invitation && !open) throw StanzaError.notAllowed('registration needs an invitation');
    const username = query?.getChild('username', ns.register);
    const password = query?.getChild('password', ns.register);
    if (!username || !password) throw StanzaError.notAcceptable('a user name and a password are required');
    const account = accountJid(textOf(username), stream.host);
    if (invitation?.username !== undefined && invitation.username !== account.local)
      throw StanzaError.notAcceptable(`the invitation is for the user name ${invitation.username}`);
    if (!invitation && !this.#allowance.tryTake(networkOf(stream.remoteAddress)))
      throw StanzaError.resourceConstraint('too many registrations; try again later');
    const registered = invitation
      ? redemption.register(invitation, account, textOf(password))
      : registrar.create(account, textOf(password), {});
    await registered.catch(refuseAccount);
    this.#shown.delete(stream);
    return undefined;
  }
}

function form(invitation: ShownInvitation | undefined): Element {
  return xml(
    'query',
    { xmlns: ns.register },
    xml('instructions', { xmlns: ns.register }, 'Choose a user name and a password.'),
    xml('username', { xmlns: ns.register }, invitation?.username),
    xml('password', { xmlns: ns.register }),
  );
}

function accountJid(username: string, host: string): Jid {
  const account = ifAddress(() => Jid.from(username, host));
  if (!account?.local) throw StanzaError.notAcceptable('the user name is not allowed');
  return account;
}

function refuseTooManyTokens(error: unknown): never {
  if (error instanceof TooManyTokens) throw StanzaError.resourceConstraint(error.message);
  throw error;
}
