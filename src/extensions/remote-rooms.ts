import type { Jid } from '../protocol/jid.ts';
import { mucUserElement, status } from '../protocol/muc/user-element.ts';
import { ns } from '../protocol/namespaces.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { StanzaCondition, StanzaError } from '../protocol/stanza-error.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import type { Session } from '../routing/session.ts';
import type { Clock } from '../support/clock.ts';
import { type Element, xml } from '../xml/element.ts';

/** Dependencies of the extension. */
interface RemoteRoomsDeps extends Pick<Routing, 'sessions' | 'requests' | 'route'> {
  readonly clock: Pick<Clock, 'after'>;
}

/** When the rooms of a domain are asked after its link has broken, each in milliseconds after the attempt before. */
const attemptsMs: readonly number[] = [5_000, 30_000, 120_000, 600_000, 1_800_000];
/** How many rooms of one domain are asked at once. */
const askedAtOnce = 50;
const answerMs = 60_000;

/** Errors that say nothing about the room, because it was not reached. */
const ofTheWay: ReadonlySet<StanzaCondition> = new Set<StanzaCondition>([
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
]);

/** A client that has sent presence to an address, perhaps to enter a room there. */
interface Occupancy {
  readonly session: Session;
  readonly occupant: Jid;
}

/**
 * When a link with another server has broken, rooms there may have removed our users without being able to tell them. Asks these rooms in
 * the name of each client (XEP-0410 §3), and tells a client that it is out (XEP-0045 §17.3).
 */
export function remoteRooms(deps: RemoteRoomsDeps): Extension {
  const rooms = new RemoteRooms(deps);
  return { name: 'remote-rooms', claims: [], linkBroken: (remote) => rooms.plan(remote) };
}

class RemoteRooms {
  readonly #deps: RemoteRoomsDeps;
  readonly #planned = new Set<string>();
  /** Domains whose time has come in this turn, with the number of the attempt. */
  readonly #due = new Map<string, number>();

  constructor(deps: RemoteRoomsDeps) {
    this.#deps = deps;
  }

  /** Plans to ask the rooms of a domain. */
  plan(domain: string, attempt = 0): void {
    const delayMs = attemptsMs[attempt];
    if (delayMs === undefined || this.#planned.has(domain)) return;
    this.#planned.add(domain);
    this.#deps.clock.after(delayMs, () => {
      this.#planned.delete(domain);
      this.#due.set(domain, attempt);
      if (this.#due.size === 1) setImmediate(this.#askDue);
    });
  }

  /** One look at all sessions serves all domains, because many links break together. */
  readonly #askDue = (): void => {
    const due = new Map(this.#due);
    this.#due.clear();
    const found = new Map<string, Occupancy[]>();
    for (const session of this.#deps.sessions.all()) {
      for (const occupant of session.presence.directed.values()) {
        if (occupant.isBare || !due.has(occupant.domain)) continue;
        const ofDomain = found.get(occupant.domain) ?? [];
        found.set(occupant.domain, ofDomain);
        ofDomain.push({ session, occupant });
      }
    }
    for (const [domain, occupancies] of found) void this.#ask(domain, occupancies, due.get(domain) ?? 0);
  };

  async #ask(domain: string, occupancies: readonly Occupancy[], attempt: number): Promise<void> {
    for (let start = 0; start < occupancies.length; start += askedAtOnce) {
      const some = occupancies.slice(start, start + askedAtOnce);
      const reached = await Promise.all(some.map((one) => this.#askOne(one)));
      if (reached.includes(false)) return this.plan(domain, attempt + 1);
    }
  }

  /** False if the room could not be reached. */
  async #askOne({ session, occupant }: Occupancy): Promise<boolean> {
    const error = await this.#refusal(session, occupant, xml('ping', { xmlns: ns.ping }));
    if (error && ofTheWay.has(error.condition)) return false;
    const { directed } = session.presence;
    if ((await this.#isOut(session, occupant, error)) && directed.delete(occupant.toString()))
      tellOut(session, occupant);
    return true;
  }

  /** A contact that is no room never says `not-acceptable`; `item-not-found` can also mean that the client has another nickname. */
  async #isOut(session: Session, occupant: Jid, error: StanzaError | undefined): Promise<boolean> {
    if (error?.condition !== 'item-not-found') return error?.condition === 'not-acceptable';
    const ofRoom = await this.#refusal(session, occupant.bare(), xml('query', { xmlns: ns.discoInfo }));
    return ofRoom?.condition === 'item-not-found';
  }

  #refusal({ jid }: Session, to: Jid, payload: Element): Promise<StanzaError | undefined> {
    const { requests, route } = this.#deps;
    return requests.refusal(jid, to, payload, answerMs, (request) => void route(request));
  }
}

function tellOut(session: Session, occupant: Jid): void {
  const item = { affiliation: 'none', role: 'none' } as const;
  const x = mucUserElement({ item, statuses: [status.self, status.unreachable] });
  session.send(Stanza.presence({ from: occupant, to: session.jid, type: 'unavailable' }, x));
}
