import { formatDateTime } from '../../../protocol/date-time.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { Device } from '../../../routing/session.ts';
import { attribute, type Element, xml } from '../../../xml/element.ts';
import type { SaslContext, SaslExchange, SaslSuccess } from '../sasl/mechanism.ts';
import type { UserAgent } from '../user-agent.ts';
import { bindingOf, fastMechanismsFor } from './fast-mechanisms.ts';
import type { FastTokens, IssuedToken } from './fast-tokens.ts';
import { HashedTokenExchange } from './hashed-token.ts';

/** The elements of FAST within SASL2 (XEP-0484). */
export class Fast {
  readonly #tokens: FastTokens;

  constructor(tokens: FastTokens) {
    this.#tokens = tokens;
  }

  /** The `<fast/>` for the inline features of SASL2. There is no `tls-0rtt`: TLS accepts no early data here. */
  offer(conditions: Pick<SaslContext, 'secure' | 'channelBindings'>): Element | undefined {
    const mechanisms = fastMechanismsFor(conditions);
    if (mechanisms.length === 0) return undefined;
    return xml('fast', { xmlns: ns.fast }, ...mechanisms.map((name) => xml('mechanism', { xmlns: ns.fast }, name)));
  }

  /** Begins the exchange of an `<authenticate/>` with `<fast/>` in it (XEP-0484 §3.4). Throws SaslFailure. */
  exchange(fast: Element, authenticate: Element, userAgent: UserAgent | undefined, context: SaslContext): SaslExchange {
    const mechanism = attribute(authenticate, 'mechanism') ?? '';
    const binding = bindingOf(mechanism, context);
    if (!binding) throw SaslFailure.invalidMechanism();
    if (!userAgent) throw SaslFailure.malformedRequest('a token needs the id of a user agent');
    return new HashedTokenExchange(this.#tokens, {
      domain: context.domain,
      userAgent,
      mechanism,
      bindingData: binding(),
      count: countOf(fast),
      invalidate: isTrue(attribute(fast, 'invalidate')),
      requested: requestedMechanism(authenticate, context),
    });
  }

  /** The token for a client that has authenticated, if it asked for one or its old one is due for rotation. */
  token(
    { identity, credentials, token }: SaslSuccess,
    device: Device,
    authenticate: Element,
    context: SaslContext,
  ): MaybePromise<IssuedToken | undefined> {
    if (!credentials) return token;
    const mechanism = requestedMechanism(authenticate, context);
    if (mechanism === undefined) return undefined;
    return this.#tokens.issue(identity, device, mechanism, credentials.passwordVersion);
  }
}

/** The `<token/>` for `<success/>` (XEP-0484 §3.3). */
export function tokenElement({ token, expiresAtMs }: IssuedToken): Element {
  return xml('token', { xmlns: ns.fast, expiry: formatDateTime(expiresAtMs), token });
}

/** The mechanism of `<request-token/>`; undefined if there is no such element, or the mechanism was not offered. */
function requestedMechanism(authenticate: Element, context: SaslContext): string | undefined {
  const request = authenticate.getChild('request-token', ns.fast);
  const mechanism = request && attribute(request, 'mechanism');
  return mechanism !== undefined && bindingOf(mechanism, context) ? mechanism : undefined;
}

/** The 'count' of uses, a positive integer if there is one. Throws `malformed-request`. */
function countOf(fast: Element): number | undefined {
  const text = attribute(fast, 'count');
  if (text === undefined) return undefined;
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count === 0) throw SaslFailure.malformedRequest("the 'count' must be a positive integer");
  return count;
}

/** XML Schema writes a boolean in two ways. */
function isTrue(text: string | undefined): boolean {
  return text === 'true' || text === '1';
}
