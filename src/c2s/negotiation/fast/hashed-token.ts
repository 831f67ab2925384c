import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import { accountOf } from '../sasl/identity.ts';
import type { SaslExchange, SaslSuccess } from '../sasl/mechanism.ts';
import { decodeUtf8 } from '../sasl/saslprep.ts';
import { deviceOf, type UserAgent } from '../user-agent.ts';
import type { FastTokens, PresentedToken } from './fast-tokens.ts';

/** How a client wants to authenticate by a token, except for the token. */
interface HashedTokenOptions extends Omit<PresentedToken, 'initiatorHash'> {
  readonly domain: string;
  readonly userAgent: UserAgent;
}

/** The server's side of the mechanisms for hashed tokens (draft-schmaus-kitten-sasl-ht-09): one message each way. */
export class HashedTokenExchange implements SaslExchange {
  readonly #tokens: FastTokens;
  readonly #options: HashedTokenOptions;
  #over = false;

  constructor(tokens: FastTokens, options: HashedTokenOptions) {
    this.#tokens = tokens;
    this.#options = options;
  }

  async step(response: Buffer): Promise<SaslSuccess> {
    if (this.#over) throw SaslFailure.malformedRequest('the exchange is over');
    this.#over = true;
    const { domain, userAgent } = this.#options;
    const { username, initiatorHash } = parseInitiatorMessage(response);
    const account = accountOf(username, domain);
    const device = deviceOf(account, userAgent);
    const { responderHash, next } = await this.#tokens.redeem(account, device, { ...this.#options, initiatorHash });
    return { kind: 'success', data: responderHash, identity: account, token: next };
  }
}

/** Splits `authcid NUL initiator-hashed-token`; throws `malformed-request`. */
function parseInitiatorMessage(message: Buffer): { username: string; initiatorHash: Buffer } {
  const end = message.indexOf(0);
  const username = decodeUtf8(message.subarray(0, Math.max(0, end)));
  const initiatorHash = message.subarray(end + 1);
  if (!username || initiatorHash.length === 0) throw SaslFailure.malformedRequest();
  return { username, initiatorHash };
}
