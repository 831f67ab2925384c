import { randomBytes } from 'node:crypto';
import type { Jid } from '../../../protocol/jid.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import type { ScramHash } from '../../../storage/accounts.ts';
import { downgradeHash } from './downgrade-hash.ts';
import { accountOf, requireOwnAuthzid } from './identity.ts';
import { type KeyLookup, lookupKeys } from './lookup-keys.ts';
import type { SaslContext, SaslExchange, SaslStep } from './mechanism.ts';
import { provesPassword, serverSignature } from './scram-keys.ts';
import { type BindingFlag, parseClientFinal, parseClientFirst } from './scram-messages.ts';

/** Which SCRAM mechanism is spoken, and what its tests against published examples must fix. */
export interface ScramOptions {
  readonly hash: ScramHash;
  /** Whether the name of the mechanism ends in -PLUS. */
  readonly plus: boolean;
  /** The server's part of the nonce; random unless given. */
  readonly nonce?: string;
  /** Whether the XEP-0474 hash is sent; it is unless refused. */
  readonly downgradeProtection?: boolean;
}

type State =
  | { readonly phase: 'first' }
  | { readonly phase: 'final'; readonly expected: Expected }
  | { readonly phase: 'over' };

/** What the final message must repeat or prove. */
interface Expected {
  readonly account: Jid;
  readonly lookup: KeyLookup;
  readonly channelBinding: string;
  readonly nonce: string;
  /** The two messages so far, joined as AuthMessage joins them. */
  readonly conversation: string;
}

/** The server's side of SCRAM (RFC 5802, RFC 7677), with XEP-0474 downgrade protection. */
export class ScramExchange implements SaslExchange {
  readonly #context: SaslContext;
  readonly #options: ScramOptions;
  #state: State = { phase: 'first' };

  constructor(context: SaslContext, options: ScramOptions) {
    this.#context = context;
    this.#options = options;
  }

  async step(response: Buffer): Promise<SaslStep> {
    const state = this.#state;
    // Over unless this response says otherwise: whatever fails, or comes before the answer, finds nothing to continue.
    this.#state = { phase: 'over' };
    switch (state.phase) {
      case 'first':
        return this.#challenge(response);
      case 'final':
        return this.#finish(state.expected, response);
      case 'over':
        throw SaslFailure.malformedRequest('the exchange is over');
    }
  }

  async #challenge(response: Buffer): Promise<SaslStep> {
    const first = parseClientFirst(response);
    const bindingData = this.#bindingData(first.binding);
    const account = accountOf(first.username, this.#context.domain);
    requireOwnAuthzid(first.authzid, account);
    const nonce = first.nonce + (this.#options.nonce ?? randomBytes(24).toString('base64'));
    const lookup = await lookupKeys(this.#context.credentials, account, this.#options.hash);
    const serverFirst = this.#serverFirst(lookup, nonce);
    const channelBinding = Buffer.concat([Buffer.from(first.gs2Header), bindingData]).toString('base64');
    const conversation = `${first.bare},${serverFirst}`;
    this.#state = { phase: 'final', expected: { account, lookup, channelBinding, nonce, conversation } };
    return { kind: 'challenge', data: Buffer.from(serverFirst) };
  }

  #serverFirst({ keys }: KeyLookup, nonce: string): string {
    const { hash, downgradeProtection = true } = this.#options;
    const message = `r=${nonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`;
    return downgradeProtection ? `${message},h=${downgradeHash(hash, this.#context)}` : message;
  }

  async #finish(expected: Expected, response: Buffer): Promise<SaslStep> {
    const final = parseClientFinal(response);
    const { hash } = this.#options;
    const { keys, credentials } = await this.#currentKeys(expected);
    const authMessage = `${expected.conversation},${final.withoutProof}`;
    const proven = provesPassword(hash, keys, authMessage, final.proof);
    const repeated = final.channelBinding === expected.channelBinding && final.nonce === expected.nonce;
    if (!(proven && repeated && credentials)) throw SaslFailure.notAuthorized();
    const signature = serverSignature(hash, keys, authMessage).toString('base64');
    return { kind: 'success', data: Buffer.from(`v=${signature}`), identity: expected.account, credentials };
  }

  /** The password may have been changed, or the account removed, while the client made up its mind. */
  async #currentKeys({ account, lookup }: Expected): Promise<KeyLookup> {
    const { credentials } = this.#context;
    return credentials.version() === lookup.version ? lookup : lookupKeys(credentials, account, this.#options.hash);
  }

  /** Judges the client's view of channel binding (RFC 5802 §6) and returns the data it must have bound. */
  #bindingData(flag: BindingFlag): Buffer {
    if ((flag.kind === 'p') !== this.#options.plus) throw SaslFailure.malformedRequest();
    if (flag.kind === 'p') return this.#offeredBinding(flag.type);
    // The client saw no -PLUS although we sent one: somebody in between took it away.
    if (flag.kind === 'y' && this.#context.offered.some((name) => name.endsWith('-PLUS'))) {
      throw SaslFailure.notAuthorized('this server does support channel binding');
    }
    return Buffer.alloc(0);
  }

  #offeredBinding(wanted: string): Buffer {
    const binding = this.#context.channelBindings.find(({ type }) => type === wanted);
    if (!binding) throw SaslFailure.notAuthorized('this type of channel binding is not supported here');
    return binding.data();
  }
}
