import type { ProxyLimits } from '../extensions/bytestreams/proxy-listener.ts';
import type { ExtensionOptions } from '../extensions/index.ts';
import type { Config } from './schema.ts';
import { roomDomains } from './stream-options.ts';

const unlimited = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };

/** What the configuration decides about extensions. */
export function extensionOptions(config: Config): ExtensionOptions {
  const { amp, limits, listen, proxy } = config;
  const { max, maxPerOwner, keepDays, maxMessagesPerRoom } = config.rooms;
  return {
    ...config,
    amp: limits.disabled ? { ...amp, replies: unlimited } : amp,
    proxy: listen.proxy.length === 0 ? undefined : { ...proxy, limits: proxyLimits(limits) },
    rooms: {
      domains: roomDomains(config),
      limits: { maxRooms: max, maxRoomsPerOwner: maxPerOwner, unlimited: limits.disabled },
      retention: { keepDays, maxPerArchive: maxMessagesPerRoom },
    },
    components: Object.keys(config.components),
  };
}

function proxyLimits({ proxy }: Config['limits']): ProxyLimits {
  const { negotiationSeconds, idleSeconds, ...limits } = proxy;
  return { ...limits, negotiationMs: negotiationSeconds * 1000, idleMs: idleSeconds * 1000 };
}
