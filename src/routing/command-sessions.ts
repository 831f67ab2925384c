import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { xml } from '../xml/element.ts';
import type { CommandStage } from './command.ts';

/** How long a stage waits for its form. */
const timeoutMs = 10 * 60_000;
const mostSessions = 1000;
/** Of one account, or of a domain for requesters without a local part. */
const mostSessionsOfOne = 10;

interface CommandSession {
  readonly requester: Jid;
  readonly node: string;
  readonly stage: CommandStage;
  readonly startedAtMs: number;
}

/** The commands that wait for a form (XEP-0050 §3.2). The oldest go if there are too many. */
export class CommandSessions {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #sessions = new Map<string, CommandSession>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Keeps a stage under an id, a new one if not given, and returns the id. */
  keep(requester: Jid, node: string, stage: CommandStage, id = randomId()): string {
    const account = requester.bare();
    const same = [...this.#sessions].filter(([, session]) => session.requester.bare().equals(account));
    if (same.length >= mostSessionsOfOne) this.#sessions.delete(same[0]?.[0] ?? '');
    const [oldest = ''] = this.#sessions.keys();
    if (this.#sessions.size >= mostSessions) this.#sessions.delete(oldest);
    this.#sessions.set(id, { requester, node, stage, startedAtMs: this.#clock.monotonicMs() });
    return id;
  }

  /** Removes a stage and returns it; throws `bad-sessionid` or `session-expired` (XEP-0050 §4.4). */
  take(requester: Jid, node: string, id: string): CommandStage {
    const session = this.#sessions.get(id);
    if (!session?.requester.equals(requester) || session.node !== node) {
      throw StanzaError.badRequest(undefined, { extra: xml('bad-sessionid', { xmlns: ns.commands }) });
    }
    this.#sessions.delete(id);
    if (this.#clock.monotonicMs() - session.startedAtMs <= timeoutMs) return session.stage;
    throw StanzaError.notAllowed(undefined, { extra: xml('session-expired', { xmlns: ns.commands }) });
  }
}
