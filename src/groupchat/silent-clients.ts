import type { Jid } from '../protocol/jid.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import type { ExistingRoom } from './room/state.ts';

/** How long a client of another server may say nothing before it is pinged. */
const silenceMs = 30 * 60 * 1000;
/** How many clients are pinged in a second. */
const perSecond = 50;

/** Dependencies of {@link SilentClients}. */
interface SilentClientsDeps {
  readonly isLocalDomain: (domain: string) => boolean;
  /** Asks a client whether it is there, in the name of its occupant (XEP-0199). Resolves with the error if it is not. */
  readonly ping: (occupant: Jid, client: Jid) => Promise<StanzaError | undefined>;
  readonly clock: Clock;
}

/** A client whose ping waits. */
interface Silent {
  readonly occupant: Jid;
  readonly client: Jid;
  readonly failed: (error: StanzaError) => void;
}

/** Pings clients of other servers that say nothing: if such a server was lost, nobody tells that they are gone (XEP-0045 §11.2). */
export class SilentClients {
  readonly #deps: SilentClientsDeps;
  readonly #waiting: Silent[] = [];

  constructor(deps: SilentClientsDeps) {
    this.#deps = deps;
  }

  /**
   * Pings the clients in a room that are due. `heard` has the monotonic milliseconds at which each was heard last; one that it does not
   * have was in the room before the server was restarted. `failed` is called for each that cannot be reached.
   */
  check(
    { occupants }: ExistingRoom,
    heard: Map<string, number>,
    failed: (client: Jid, error: StanzaError) => void,
  ): void {
    const { isLocalDomain, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    for (const { address, sessions } of occupants.all) {
      for (const { jid } of sessions) {
        const lastMs = heard.get(jid.toString()) ?? Number.NEGATIVE_INFINITY;
        if (isLocalDomain(jid.domain) || nowMs - lastMs < silenceMs) continue;
        heard.set(jid.toString(), nowMs);
        this.#add({ occupant: address, client: jid, failed: (error) => failed(jid, error) });
      }
    }
    for (const client of heard.keys()) if (!occupants.isInside(client)) heard.delete(client);
  }

  #add(silent: Silent): void {
    this.#waiting.push(silent);
    if (this.#waiting.length === 1) this.#deps.clock.after(0, this.#pingSome);
  }

  readonly #pingSome = (): void => {
    for (const silent of this.#waiting.slice(0, perSecond)) void this.#ping(silent);
    this.#waiting.splice(0, perSecond);
    if (this.#waiting.length > 0) this.#deps.clock.after(1000, this.#pingSome);
  };

  async #ping({ occupant, client, failed }: Silent): Promise<void> {
    const error = await this.#deps.ping(occupant, client);
    if (error) failed(error);
  }
}
