import type { ChannelBinding } from '../../tls/channel-binding.ts';
import type { CredentialSource, SaslContext } from './sasl/mechanism.ts';
import { mechanismsFor } from './sasl/mechanisms.ts';
import type { Pbkdf2Queue } from './sasl/pbkdf2-queue.ts';
import type { AuthenticationGuard } from './sasl-attempt.ts';
import type { StreamFacts } from './stream-feature.ts';

/** Dependencies of both SASL profiles. */
export interface SaslServices {
  /** The mechanisms the operator allows. */
  readonly enabled: readonly string[];
  /** The channel binding types the operator allows. */
  readonly bindingTypes: readonly string[];
  /** Whether mechanisms are offered without TLS. */
  readonly withoutTls: boolean;
  readonly credentials: CredentialSource;
  readonly pbkdf2: Pbkdf2Queue;
  readonly guard: AuthenticationGuard;
}

/** Whether a stream in this condition may authenticate. */
export function mayAuthenticate(services: SaslServices, { secure, identity }: StreamFacts): boolean {
  return !identity && (secure || services.withoutTls);
}

/**
 * The channel bindings this stream may use: none where no mechanism could use them (XEP-0440 §2). The operator chooses
 * among those that are advertised.
 */
export function allowedBindings(services: SaslServices, facts: StreamFacts): readonly ChannelBinding[] {
  if (!services.enabled.some((name) => name.endsWith('-PLUS'))) return [];
  return facts.channelBindings.filter(({ type, advertised }) => !advertised || services.bindingTypes.includes(type));
}

/** The mechanisms this stream is offered. */
export function offeredMechanisms(services: SaslServices, facts: StreamFacts): string[] {
  const channelBindings = allowedBindings(services, facts);
  return mechanismsFor({ enabled: services.enabled, secure: facts.secure, channelBindings });
}

/** The facts about a stream that mechanisms see. */
export function saslContext(services: SaslServices, facts: StreamFacts): SaslContext {
  return {
    domain: facts.host,
    offered: offeredMechanisms(services, facts),
    channelBindings: allowedBindings(services, facts),
    secure: facts.secure,
    credentials: services.credentials,
    pbkdf2: services.pbkdf2,
  };
}
