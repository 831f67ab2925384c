import type { ChannelBinding } from '../../../tls/channel-binding.ts';
import type { SaslContext } from '../sasl/mechanism.ts';

/** The mechanisms of hashed tokens (draft-schmaus-kitten-sasl-ht) with the channel bindings that they need, strongest first. */
const bindingTypes: ReadonlyMap<string, ChannelBinding['type'] | undefined> = new Map([
  ['HT-SHA-256-EXPR', 'tls-exporter'],
  ['HT-SHA-256-ENDP', 'tls-server-end-point'],
  ['HT-SHA-256-NONE', undefined],
]);

/** The names of all of them. */
export const fastMechanismNames: readonly string[] = [...bindingTypes.keys()];

/** What decides which mechanisms a stream is offered. */
type FastConditions = Pick<SaslContext, 'secure' | 'channelBindings'>;

/** The mechanisms to offer to a stream: none without TLS (XEP-0484 §6). */
export function fastMechanismsFor(conditions: FastConditions): readonly string[] {
  return fastMechanismNames.filter((name) => bindingOf(name, conditions) !== undefined);
}

/** The channel binding data for a mechanism, empty if it binds to nothing; undefined if the mechanism is not offered to this stream. */
export function bindingOf(mechanism: string, { secure, channelBindings }: FastConditions): (() => Buffer) | undefined {
  if (!secure || !bindingTypes.has(mechanism)) return undefined;
  const type = bindingTypes.get(mechanism);
  if (type === undefined) return () => Buffer.alloc(0);
  return channelBindings.find((binding) => binding.type === type && binding.advertised)?.data;
}
