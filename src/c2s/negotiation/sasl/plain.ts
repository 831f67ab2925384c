import type { Jid } from '../../../protocol/jid.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import type { AccountCredentials } from '../../../storage/accounts.ts';
import { accountOf, requireOwnAuthzid } from './identity.ts';
import type { SaslContext, SaslExchange, SaslStep } from './mechanism.ts';
import { Pbkdf2QueueFull } from './pbkdf2-queue.ts';
import { decodeUtf8 } from './saslprep.ts';
import { verifyPassword } from './verify-password.ts';

const maxMessageBytes = 8192;

/** The server's side of PLAIN (RFC 4616). */
export class PlainExchange implements SaslExchange {
  readonly #context: SaslContext;
  #over = false;

  constructor(context: SaslContext) {
    this.#context = context;
  }

  async step(response: Buffer): Promise<SaslStep> {
    if (this.#over) throw SaslFailure.malformedRequest('the exchange is over');
    this.#over = true;
    const { authzid, username, password } = parsePlain(response);
    const account = accountOf(username, this.#context.domain);
    requireOwnAuthzid(authzid, account);
    const credentials = await this.#verify(account, password);
    if (!credentials) throw SaslFailure.notAuthorized();
    return { kind: 'success', identity: account, credentials };
  }

  async #verify(account: Jid, password: string): Promise<AccountCredentials | undefined> {
    const { credentials, pbkdf2 } = this.#context;
    try {
      return await pbkdf2.run(() => verifyPassword(credentials, account, password));
    } catch (error) {
      if (error instanceof Pbkdf2QueueFull) throw SaslFailure.temporaryAuthFailure(error.message);
      throw error;
    }
  }
}

/** Splits `[authzid] NUL authcid NUL passwd` (RFC 4616 §2); throws `malformed-request`. */
function parsePlain(response: Buffer): { authzid: string; username: string; password: string } {
  const text = response.length > maxMessageBytes ? undefined : decodeUtf8(response);
  const [authzid, username, password, ...more] = text?.split('\0') ?? [];
  if (authzid === undefined || !username || !password || more.length > 0) throw SaslFailure.malformedRequest();
  return { authzid, username, password };
}
