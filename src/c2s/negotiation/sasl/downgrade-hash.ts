import type { ScramHash } from '../../../storage/accounts.ts';
import type { SaslContext } from './mechanism.ts';
import { digest } from './scram-keys.ts';

/** Proves to the client which mechanisms and channel bindings it was really offered (XEP-0474 §6.1). */
export function downgradeHash(hash: ScramHash, { offered, channelBindings }: Announcement): string {
  const lists = [joined(offered)];
  const advertised = channelBindings.filter((binding) => binding.advertised);
  if (advertised.length > 0) lists.push(joined(advertised.map(({ type }) => type)));
  return digest(hash, lists.join('\x1f')).toString('base64');
}

type Announcement = Pick<SaslContext, 'offered' | 'channelBindings'>;

/** Names are ASCII, so the default order is the octet order asked for. */
function joined(names: readonly string[]): string {
  return names.toSorted().join('\x1e');
}
