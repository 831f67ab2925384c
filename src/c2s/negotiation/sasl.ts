import { ns } from '../../protocol/namespaces.ts';
import { SaslFailure } from '../../protocol/sasl-failure.ts';
import { textOf, xml } from '../../xml/element.ts';
import { startExchange } from './sasl/mechanisms.ts';
import { decodeInitialResponse, decodeResponse } from './sasl/strict-base64.ts';
import { SaslAttempt, type SaslProfile } from './sasl-attempt.ts';
import { mayAuthenticate, offeredMechanisms, type SaslServices, saslContext } from './sasl-services.ts';
import type { StreamFeature } from './stream-feature.ts';

/** SASL as RFC 6120 §6 defines it. */
export function sasl(services: SaslServices): StreamFeature {
  return {
    name: 'sasl',
    exclusive: false,
    needs: (facts) => mayAuthenticate(services, facts),
    offer: (facts) => [
      xml(
        'mechanisms',
        { xmlns: ns.sasl },
        ...offeredMechanisms(services, facts).map((name) => xml('mechanism', { xmlns: ns.sasl }, name)),
      ),
    ],
    handles: (frame) => frame.ns === ns.sasl && frame.name === 'auth',
    negotiate(stream, frame, offered) {
      const element = frame.element();
      const mechanism = frame.attribute('mechanism') ?? '';
      const attempt = new SaslAttempt(stream, profile, services.guard, mechanism);
      stream.beginAuthentication(attempt);
      return attempt.begin(
        () => {
          if (!offered) throw refusal(stream.secure);
          return startExchange(mechanism, saslContext(services, stream));
        },
        () => decodeInitialResponse(textOf(element)),
      );
    },
  };
}

/** RFC 6120 §6.5.4: an attempt to authenticate without TLS gets `encryption-required`. */
export function refusal(secure: boolean): SaslFailure {
  return secure ? SaslFailure.malformedRequest() : SaslFailure.encryptionRequired();
}

const profile: SaslProfile = {
  ns: ns.sasl,
  challenge: (data) => xml('challenge', { xmlns: ns.sasl }, data.toString('base64')),
  failure: (failure) => failure.element(),
  response: (element) => decodeResponse(textOf(element)),
  accept: () => undefined,
  succeed(stream, { identity, data }) {
    stream.send(xml('success', { xmlns: ns.sasl }, successData(data)));
    stream.restartAs(identity);
  },
};

/** RFC 6120 §6.4.6: a single equals sign stands for empty data. */
function successData(data: Buffer | undefined): string | undefined {
  if (!data) return undefined;
  return data.length === 0 ? '=' : data.toString('base64');
}
