import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import type { SaslContext, SaslExchange } from './mechanism.ts';
import { PlainExchange } from './plain.ts';
import { ScramExchange, type ScramOptions } from './scram.ts';

type Start = (context: SaslContext) => SaslExchange;

const scram =
  (options: ScramOptions): Start =>
  (context) =>
    new ScramExchange(context, options);

/** In the order they are offered: what binds to the channel first, then by strength. */
const mechanisms = new Map<string, Start>([
  ['SCRAM-SHA-512-PLUS', scram({ hash: 'SHA-512', plus: true })],
  ['SCRAM-SHA-256-PLUS', scram({ hash: 'SHA-256', plus: true })],
  ['SCRAM-SHA-1-PLUS', scram({ hash: 'SHA-1', plus: true })],
  ['SCRAM-SHA-512', scram({ hash: 'SHA-512', plus: false })],
  ['SCRAM-SHA-256', scram({ hash: 'SHA-256', plus: false })],
  ['SCRAM-SHA-1', scram({ hash: 'SHA-1', plus: false })],
  ['PLAIN', (context) => new PlainExchange(context)],
]);

/** Every mechanism this server can speak, in the order they are offered. */
export const mechanismNames: readonly string[] = [...mechanisms.keys()];

/** What decides which mechanisms a stream is offered. */
type MechanismConditions = Pick<SaslContext, 'secure' | 'channelBindings'> & {
  /** The mechanisms the administrator allows. */
  readonly enabled: readonly string[];
};

/**
 * The mechanisms to offer: PLAIN only under TLS (RFC 6120 §6.3.4), -PLUS only where clients are told of a channel
 * binding (XEP-0440 §2).
 */
export function mechanismsFor({ enabled, secure, channelBindings }: MechanismConditions): string[] {
  const bindable = channelBindings.some((binding) => binding.advertised);
  return mechanismNames.filter((name) => {
    if (name === 'PLAIN' && !secure) return false;
    if (name.endsWith('-PLUS') && !bindable) return false;
    return enabled.includes(name);
  });
}

/** Begins an exchange; throws `invalid-mechanism` for anything but what this stream was offered (RFC 6120 §6.5.7). */
export function startExchange(name: string, context: SaslContext): SaslExchange {
  const start = context.offered.includes(name) ? mechanisms.get(name) : undefined;
  if (!start) throw SaslFailure.invalidMechanism();
  if (name === 'PLAIN' && !context.secure) throw SaslFailure.encryptionRequired();
  return start(context);
}
