import { ns } from '../../protocol/namespaces.ts';
import type { ChannelBinding } from '../../tls/channel-binding.ts';
import { xml } from '../../xml/element.ts';
import { allowedBindings, mayAuthenticate, type SaslServices } from './sasl-services.ts';
import type { StreamFacts, StreamFeature } from './stream-feature.ts';

/** Tells which channel bindings the -PLUS mechanisms can use (XEP-0440); nothing to negotiate. */
export function channelBindingTypes(services: SaslServices): StreamFeature {
  return {
    name: 'sasl-channel-binding',
    exclusive: false,
    needs: (facts) => mayAuthenticate(services, facts) && advertised(services, facts).length > 0,
    offer: (facts) => [
      xml(
        'sasl-channel-binding',
        { xmlns: ns.saslChannelBinding },
        ...advertised(services, facts).map(({ type }) =>
          xml('channel-binding', { xmlns: ns.saslChannelBinding, type }),
        ),
      ),
    ],
    handles: () => false,
    negotiate: () => undefined,
  };
}

function advertised(services: SaslServices, facts: StreamFacts): readonly ChannelBinding[] {
  return allowedBindings(services, facts).filter((binding) => binding.advertised);
}
