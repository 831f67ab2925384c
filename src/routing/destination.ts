import type { Account } from './account.ts';
import type { Service } from './service.ts';

/** Where an address leads. */
export type Destination =
  /** A local account, or a local address without one. */
  | { readonly kind: 'account'; readonly account: Account | undefined }
  /** A domain of ours itself. */
  | { readonly kind: 'server' }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'remote'; readonly domain: string };
