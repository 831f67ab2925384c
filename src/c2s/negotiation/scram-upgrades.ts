import { randomBytes } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { SaslFailure } from '../../protocol/sasl-failure.ts';
import type { AccountStore, ScramHash } from '../../storage/accounts.ts';
import { attribute, childElements, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import type { SaslSuccess } from './sasl/mechanism.ts';
import { keyByteLength, keysOfSalted, saltByteLength } from './sasl/scram-keys.ts';
import { decodeResponse } from './sasl/strict-base64.ts';
import type { Tasks } from './sasl-attempt.ts';

/** Dependencies of {@link ScramUpgrades}. */
interface ScramUpgradeDeps {
  /** The hashes whose keys the server wants every account to have, and the iterations; read at each use. */
  readonly options: { readonly scramUpgrades: readonly ScramHash[]; readonly scramIterations: number };
  readonly store: Pick<AccountStore, 'addKeys'>;
}

/**
 * Lets clients add the SCRAM keys that their account lacks (XEP-0480 §3). Every stream gets the same offer: it must not tell what the
 * account that the client has named lacks, or whether it exists.
 */
export class ScramUpgrades {
  readonly #deps: ScramUpgradeDeps;

  constructor(deps: ScramUpgradeDeps) {
    this.#deps = deps;
  }

  /** The offers for `<authentication/>`: none without TLS, because the answer is as good as the password. */
  offer({ secure }: { readonly secure: boolean }): readonly Element[] {
    if (!secure) return [];
    return this.#deps.options.scramUpgrades.map((hash) => xml('upgrade', { xmlns: ns.saslUpgrade }, taskOf(hash)));
  }

  /**
   * The upgrades that an `<authenticate/>` asks for and the account needs; undefined if there are none. An account with imported bcrypt only
   * gets its keys when PLAIN verifies the whole password: bcrypt may have looked at a part of it.
   */
  tasks({ identity, credentials }: SaslSuccess, authenticate: Element, secure: boolean): Tasks | undefined {
    if (!secure || !credentials || Object.keys(credentials.scram).length === 0) return undefined;
    const requested = new Set(
      childElements(authenticate)
        .filter((child) => child.getName() === 'upgrade' && nsOf(child) === ns.saslUpgrade)
        .map((child) => textOf(child).trim()),
    );
    const { options, store } = this.#deps;
    const missing = options.scramUpgrades.filter((hash) => requested.has(taskOf(hash)) && !credentials.scram[hash]);
    if (missing.length === 0) return undefined;
    const keeping = { store, iterations: options.scramIterations };
    return new UpgradeTasks(identity, credentials.passwordVersion, missing, keeping);
  }
}

/** Where new keys are kept, and the iterations with which the client makes them. */
interface KeyKeeping extends Pick<ScramUpgradeDeps, 'store'> {
  readonly iterations: number;
}

/** The upgrades of one account, one after the other (XEP-0480 §3). */
class UpgradeTasks implements Tasks {
  readonly #account: Jid;
  readonly #passwordVersion: number;
  readonly #missing: ScramHash[];
  readonly #keeping: KeyKeeping;
  /** The salt of the task that the client has begun. */
  #salt: Buffer | undefined;

  constructor(account: Jid, passwordVersion: number, missing: readonly ScramHash[], keeping: KeyKeeping) {
    this.#account = account;
    this.#passwordVersion = passwordVersion;
    this.#missing = [...missing];
    this.#keeping = keeping;
  }

  begin(data: Buffer | undefined): Element {
    return this.#continue(this.#hash, data);
  }

  take(element: Element): Element | Promise<Element | undefined> {
    switch (element.getName()) {
      case 'next':
        return this.#start(attribute(element, 'task'));
      case 'task-data':
        return this.#finish(element.getChild('hash', ns.scramUpgrade));
      default:
        throw SaslFailure.malformedRequest();
    }
  }

  get #hash(): ScramHash {
    const [hash] = this.#missing;
    if (!hash) throw SaslFailure.malformedRequest();
    return hash;
  }

  #continue(hash: ScramHash, data?: Buffer): Element {
    return xml(
      'continue',
      { xmlns: ns.sasl2 },
      data && xml('additional-data', { xmlns: ns.sasl2 }, data.toString('base64')),
      xml('tasks', { xmlns: ns.sasl2 }, xml('task', { xmlns: ns.sasl2 }, taskOf(hash))),
    );
  }

  #start(task: string | undefined): Element {
    if (this.#salt || task !== taskOf(this.#hash))
      throw SaslFailure.malformedRequest('not the task that was asked for');
    this.#salt = randomBytes(saltByteLength);
    const { iterations } = this.#keeping;
    const salt = xml('salt', { xmlns: ns.scramUpgrade, iterations }, this.#salt.toString('base64'));
    return xml('task-data', { xmlns: ns.sasl2 }, salt);
  }

  async #finish(answer: Element | undefined): Promise<Element | undefined> {
    const hash = this.#hash;
    const salt = this.#salt;
    const salted = answer && decodeResponse(textOf(answer).trim());
    if (!salt || salted?.length !== keyByteLength(hash)) throw SaslFailure.malformedRequest();
    this.#salt = undefined;
    const { store, iterations } = this.#keeping;
    const keys = keysOfSalted(hash, salted, salt, iterations);
    await store.addKeys(this.#account.toString(), this.#passwordVersion, hash, keys);
    this.#missing.shift();
    const [next] = this.#missing;
    return next && this.#continue(next);
  }
}

function taskOf(hash: ScramHash): string {
  return `UPGR-SCRAM-${hash}`;
}
