import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { SaslFailure } from '../../protocol/sasl-failure.ts';
import { managementFeature } from '../../protocol/stream-management.ts';
import { type MaybePromise, then } from '../../routing/maybe-promise.ts';
import { type Element, textOf, xml } from '../../xml/element.ts';
import type { StreamManagement } from '../management/stream-management.ts';
import type { Bind2 } from './bind2.ts';
import { startExchange } from './sasl/mechanisms.ts';
import { decodeResponse } from './sasl/strict-base64.ts';
import { refusal } from './sasl.ts';
import { SaslAttempt, type SaslProfile } from './sasl-attempt.ts';
import { mayAuthenticate, offeredMechanisms, type SaslServices, saslContext } from './sasl-services.ts';
import type { NegotiatingStream, StreamFeature } from './stream-feature.ts';

/** The Extensible SASL Profile (XEP-0388), with resumption (XEP-0198 §9) and resource binding (XEP-0386) inline. */
export function sasl2(services: SaslServices, bind: Bind2, management: StreamManagement): StreamFeature {
  return {
    name: 'sasl2',
    exclusive: false,
    needs: (facts) => mayAuthenticate(services, facts),
    offer: (facts) => [
      xml(
        'authentication',
        { xmlns: ns.sasl2 },
        ...offeredMechanisms(services, facts).map((name) => xml('mechanism', { xmlns: ns.sasl2 }, name)),
        xml('inline', { xmlns: ns.sasl2 }, managementFeature(), bind.offer()),
      ),
    ],
    handles: (frame) => frame.ns === ns.sasl2 && frame.name === 'authenticate',
    negotiate(stream, frame, offered) {
      const request = frame.element();
      const mechanism = frame.attribute('mechanism') ?? '';
      const attempt = new SaslAttempt(stream, profileOf(request, bind, management), services.guard, mechanism);
      stream.beginAuthentication(attempt);
      return attempt.begin(
        () => {
          if (!offered) throw refusal(stream.secure);
          return startExchange(mechanism, saslContext(services, stream));
        },
        () => {
          const response = request.getChild('initial-response', ns.sasl2);
          return response && decodeResponse(textOf(response));
        },
      );
    },
  };
}

function profileOf(request: Element, bind: Bind2, management: StreamManagement): SaslProfile {
  return {
    ns: ns.sasl2,
    challenge: (data) => xml('challenge', { xmlns: ns.sasl2 }, data.toString('base64')),
    failure: (failure) => failure.element(ns.sasl2),
    response: (element) => decodeResponse(textOf(element)),
    succeed(stream, identity, data) {
      checkHeaderFrom(stream, identity);
      const resumption = request.getChild('resume', ns.streamManagement);
      if (!resumption) return bindAndSucceed(stream, identity, data, undefined);
      const failed = resume(stream, identity, data, resumption);
      return failed.then((element) => element && bindAndSucceed(stream, identity, data, element));
    },
  };

  function bindAndSucceed(
    stream: NegotiatingStream,
    identity: Jid,
    data: Buffer | undefined,
    failed: Element | undefined,
  ): MaybePromise<void> {
    const bindRequest = request.getChild('bind', ns.bind2);
    if (!bindRequest) return succeed(stream, identity, data, failed);
    return then(bind.bind(stream, identity, bindRequest, request), (inline) =>
      succeed(stream, identity, data, failed, inline),
    );
  }

  /** XEP-0198 §9.2: comes before resource binding, and in its place; no stream features follow. */
  function resume(stream: NegotiatingStream, identity: Jid, data: Buffer | undefined, resumption: Element) {
    return management.resume(identity, resumption, (session, resumed) => {
      stream.resumed(session, () => {
        stream.send(success(session.jid, data, resumed));
        management.attach(session, stream);
      });
    });
  }
}

/** XEP-0388 §2.4: a stream header that claims somebody else fails the authentication. */
function checkHeaderFrom({ headerFrom }: NegotiatingStream, identity: Jid): void {
  if (headerFrom === undefined) return;
  if (!jidOrNothing(headerFrom)?.bare().equals(identity)) throw SaslFailure.invalidAuthzid();
}

type Inline = Awaited<ReturnType<Bind2['bind']>>;

/** XEP-0388 §2.6.1: the identifier is the full JID if a resource was bound on the way. */
function succeed(
  stream: NegotiatingStream,
  identity: Jid,
  data: Buffer | undefined,
  failed: Element | undefined,
  inline?: Inline,
): void {
  stream.send(success(inline?.session.jid ?? identity, data, failed, inline?.element));
  stream.continueAs(identity, inline?.session);
}

function success(authorized: Jid, data: Buffer | undefined, ...inline: (Element | undefined)[]): Element {
  return xml(
    'success',
    { xmlns: ns.sasl2 },
    data && xml('additional-data', { xmlns: ns.sasl2 }, data.toString('base64')),
    xml('authorization-identifier', { xmlns: ns.sasl2 }, authorized.toString()),
    ...inline,
  );
}
