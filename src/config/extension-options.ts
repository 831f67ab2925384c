import type { ProxyLimits } from '../extensions/bytestreams/proxy-listener.ts';
import type { ExtensionOptions } from '../extensions/index.ts';
import type { UploadLimits } from '../extensions/upload/uploads.ts';
import type { Config } from './schema.ts';
import { freeSubdomains, proxyDomains, publicUrl, roomDomains } from './stream-options.ts';

const unlimited = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };

/** What the configuration decides about extensions. */
export function extensionOptions(config: Config): ExtensionOptions {
  const { amp, domains, limits, proxy } = config;
  const components = Object.keys(config.components);
  const { max, maxPerOwner, keepDays, maxMessagesPerRoom } = config.rooms;
  return {
    ...config,
    amp: limits.disabled ? { ...amp, replies: unlimited } : amp,
    proxy: { ...proxy, domains: proxyDomains(config), limits: proxyLimits(limits) },
    rooms: {
      domains: roomDomains(config),
      limits: { maxRooms: max, maxRoomsPerOwner: maxPerOwner, unlimited: limits.disabled },
      retention: { keepDays, maxPerArchive: maxMessagesPerRoom },
    },
    components,
    blockLists: config.moderation.blockLists,
    strangers: limits.strangers,
    newAccounts: limits.newAccounts,
    uploads: {
      domains: freeSubdomains('upload', domains, components),
      url: uploadUrl(config),
      limits: uploadLimits(config),
      retention: { keepDays: config.uploads.keepDays },
    },
  };
}

/** Encryption adds 16 bytes to a file (XEP-0454), which clients do not take into account. */
const encryptionBytes = 16;

/** Files that one account uploads in 24 hours: far more than a person sends. */
const uploadsPerDay = 2000;

function uploadLimits({ uploads }: Config): UploadLimits {
  const { maxFileBytes, maxBytesPerDay, maxBytesPerAccount, maxBytes, reserveBytes } = uploads;
  return {
    fileBytes: Math.min(maxFileBytes + encryptionBytes, maxBytesPerDay, maxBytesPerAccount, maxBytes),
    dayBytes: maxBytesPerDay,
    dayFiles: uploadsPerDay,
    accountBytes: maxBytesPerAccount,
    totalBytes: maxBytes,
    reserveBytes,
  };
}

/** The address at which clients upload files; undefined if uploads are off, or if there is no HTTP listener that clients reach over TLS. */
export function uploadUrl(config: Config): string | undefined {
  const { uploads, web, listen } = config;
  const isServed = listen.http.length + listen.https.length > 0;
  const url = web.uploadUrl ?? publicUrl(config);
  return uploads.enabled && isServed && url?.startsWith('https:') ? url : undefined;
}

function proxyLimits({ proxy }: Config['limits']): ProxyLimits {
  const { negotiationSeconds, idleSeconds, ...limits } = proxy;
  return { ...limits, negotiationMs: negotiationSeconds * 1000, idleMs: idleSeconds * 1000 };
}
