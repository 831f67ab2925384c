import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { SaslFailure } from '../../protocol/sasl-failure.ts';
import { managementFeature } from '../../protocol/stream-management.ts';
import { type MaybePromise, then } from '../../routing/maybe-promise.ts';
import type { Device } from '../../routing/session.ts';
import { type Element, textOf, xml } from '../../xml/element.ts';
import type { ClientSession } from '../client-session.ts';
import type { StreamManagement } from '../management/stream-management.ts';
import type { Bind2 } from './bind2.ts';
import { type Fast, tokenElement } from './fast/fast.ts';
import type { IssuedToken } from './fast/fast-tokens.ts';
import type { SaslContext, SaslSuccess } from './sasl/mechanism.ts';
import { startExchange } from './sasl/mechanisms.ts';
import { decodeResponse } from './sasl/strict-base64.ts';
import { refusal } from './sasl.ts';
import { SaslAttempt, type SaslProfile, type Tasks } from './sasl-attempt.ts';
import {
  allowedBindings,
  mayAuthenticate,
  offeredMechanisms,
  type SaslServices,
  saslContext,
} from './sasl-services.ts';
import type { ScramUpgrades } from './scram-upgrades.ts';
import type { NegotiatingStream, StreamFacts, StreamFeature } from './stream-feature.ts';
import { deviceOf, type UserAgent, userAgentOf } from './user-agent.ts';

/** What SASL2 negotiates together with the authentication. */
interface Sasl2Parts {
  readonly bind: Bind2;
  readonly management: StreamManagement;
  readonly upgrades: ScramUpgrades;
  /** Undefined while the operator has turned tokens off. */
  readonly fast: () => Fast | undefined;
  /** A device has authenticated with the password of this version. */
  readonly seen: (account: Jid, device: Device, passwordVersion: number) => void;
}

/**
 * The Extensible SASL Profile (XEP-0388), with resumption (XEP-0198 §9), resource binding (XEP-0386) and tokens (XEP-0484) inline, and
 * upgrades of credentials (XEP-0480).
 */
export function sasl2(services: SaslServices, parts: Sasl2Parts): StreamFeature {
  const { bind, upgrades, fast } = parts;
  const fastOffer = (facts: StreamFacts) => {
    return fast()?.offer({ secure: facts.secure, channelBindings: allowedBindings(services, facts) });
  };
  return {
    name: 'sasl2',
    exclusive: false,
    needs: (facts) => mayAuthenticate(services, facts),
    offer: (facts) => [
      xml(
        'authentication',
        { xmlns: ns.sasl2 },
        ...offeredMechanisms(services, facts).map((name) => xml('mechanism', { xmlns: ns.sasl2 }, name)),
        xml('inline', { xmlns: ns.sasl2 }, managementFeature(), bind.offer(), fastOffer(facts)),
        ...upgrades.offer(facts),
      ),
    ],
    handles: (frame) => frame.ns === ns.sasl2 && frame.name === 'authenticate',
    negotiate(stream, frame, offered) {
      const request = frame.element();
      const mechanism = frame.attribute('mechanism') ?? '';
      const userAgent = userAgentOf(request);
      const context = saslContext(services, stream);
      const profile = new Sasl2Profile({ request, userAgent, context }, parts);
      const attempt = new SaslAttempt(stream, profile, services.guard, mechanism);
      stream.beginAuthentication(attempt);
      return attempt.begin(
        () => {
          if (!offered) throw refusal(stream.secure);
          const tokens = fast();
          const element = tokens && request.getChild('fast', ns.fast);
          return element ? tokens.exchange(element, request, userAgent, context) : startExchange(mechanism, context);
        },
        () => {
          const response = request.getChild('initial-response', ns.sasl2);
          return response && decodeResponse(textOf(response));
        },
      );
    },
  };
}

/** An `<authenticate/>`, and the stream that it came from. */
interface Sasl2Request {
  readonly request: Element;
  readonly userAgent: UserAgent | undefined;
  readonly context: SaslContext;
}

/** The profile for one `<authenticate/>`. */
class Sasl2Profile implements SaslProfile {
  readonly ns = ns.sasl2;
  readonly #request: Element;
  readonly #userAgent: UserAgent | undefined;
  readonly #context: SaslContext;
  readonly #parts: Sasl2Parts;

  constructor({ request, userAgent, context }: Sasl2Request, parts: Sasl2Parts) {
    this.#request = request;
    this.#userAgent = userAgent;
    this.#context = context;
    this.#parts = parts;
  }

  challenge(data: Buffer): Element {
    return xml('challenge', { xmlns: ns.sasl2 }, data.toString('base64'));
  }

  failure(failure: SaslFailure): Element {
    return failure.element(ns.sasl2);
  }

  response(element: Element): Buffer {
    return decodeResponse(textOf(element));
  }

  accept(stream: NegotiatingStream, step: SaslSuccess): Tasks | undefined {
    checkHeaderFrom(stream, step.identity);
    return this.#parts.upgrades.tasks(step, this.#request, this.#context.secure);
  }

  succeed(stream: NegotiatingStream, step: SaslSuccess): MaybePromise<void> {
    return then(this.#token(stream, step), (token) => {
      const elements = token ? [tokenElement(token)] : [];
      const resumption = this.#request.getChild('resume', ns.streamManagement);
      if (!resumption) return this.#bindAndSucceed(stream, step, elements);
      const failed = this.#resume(stream, step, resumption, elements);
      return failed.then((element) => element && this.#bindAndSucceed(stream, step, [element, ...elements]));
    });
  }

  /** Gets the device the token that it asked for. What it gets is the record that it was seen, too. */
  #token(stream: NegotiatingStream, step: SaslSuccess): MaybePromise<IssuedToken | undefined> {
    if (!this.#userAgent) return undefined;
    const { identity, credentials } = step;
    const { fast, seen } = this.#parts;
    const device = deviceOf(identity, this.#userAgent);
    stream.identifyDevice(device);
    return then(fast()?.token(step, device, this.#request, this.#context), (token) => {
      if (credentials && !token) seen(identity, device, credentials.passwordVersion);
      return token;
    });
  }

  #bindAndSucceed(stream: NegotiatingStream, step: SaslSuccess, elements: readonly Element[]): MaybePromise<void> {
    const bindRequest = this.#request.getChild('bind', ns.bind2);
    if (!bindRequest) return succeed(stream, step, elements);
    return then(this.#parts.bind.bind(stream, step.identity, bindRequest, this.#request), ({ session, element }) =>
      succeed(stream, step, [...elements, element], session),
    );
  }

  /** XEP-0198 §9.2: comes before resource binding, and in its place; no stream features follow. */
  #resume(stream: NegotiatingStream, { identity, data }: SaslSuccess, request: Element, elements: readonly Element[]) {
    const { management } = this.#parts;
    return management.resume(identity, request, (session, resumed) => {
      stream.resumed(session, () => {
        stream.send(success(session.jid, data, [resumed, ...elements]));
        management.attach(session, stream);
      });
    });
  }
}

/** XEP-0388 §2.4: authentication fails if the stream header names another user. */
function checkHeaderFrom({ headerFrom }: NegotiatingStream, identity: Jid): void {
  if (headerFrom === undefined) return;
  if (!jidOrNothing(headerFrom)?.bare().equals(identity)) throw SaslFailure.invalidAuthzid();
}

/** XEP-0388 §2.6.1: the identifier is the full JID if a resource was bound at the same time. */
function succeed(
  stream: NegotiatingStream,
  { identity, data }: SaslSuccess,
  inline: readonly Element[],
  session?: ClientSession,
): void {
  stream.send(success(session?.jid ?? identity, data, inline));
  stream.continueAs(identity, session);
}

function success(authorized: Jid, data: Buffer | undefined, inline: readonly Element[]): Element {
  return xml(
    'success',
    { xmlns: ns.sasl2 },
    data && xml('additional-data', { xmlns: ns.sasl2 }, data.toString('base64')),
    xml('authorization-identifier', { xmlns: ns.sasl2 }, authorized.toString()),
    ...inline,
  );
}
