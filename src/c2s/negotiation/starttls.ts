import { ns } from '../../protocol/namespaces.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { xml } from '../../xml/element.ts';
import type { StreamFeature } from './stream-feature.ts';

/** STARTTLS (RFC 6120 §5), unless the transport rules it out (RFC 7395 §3.9). If TLS is required, nothing else is offered before it. */
export function starttls(options: { readonly required: boolean }): StreamFeature {
  return {
    name: 'starttls',
    exclusive: options.required,
    needs: ({ secure, tlsStart, identity }) => !secure && tlsStart === 'starttls' && !identity,
    offer: () => [
      xml('starttls', { xmlns: ns.tls }, options.required ? xml('required', { xmlns: ns.tls }) : undefined),
    ],
    handles: (frame) => frame.name === 'starttls' && frame.ns === ns.tls,
    negotiate(stream, _frame, offered) {
      if (offered) return stream.secureNow();
      // RFC 6120 §5.4.2.2: a failure ends the stream, which the caller does by throwing.
      stream.send(xml('failure', { xmlns: ns.tls }));
      throw StreamError.policyViolation('TLS was not offered');
    },
  };
}
