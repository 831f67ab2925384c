import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Extension } from '../routing/extension.ts';
import type { PersonalNodes } from '../routing/personal-nodes.ts';
import type { Session } from '../routing/session.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Log } from '../support/log.ts';
import { serialize } from '../xml/serialize.ts';

/** Dependencies of displayed markers. */
interface DisplayedMarkersDeps {
  readonly nodes: Pick<PersonalNodes, 'change'>;
  readonly log: Log;
}

/** The markers of an account that wait to be published: payloads by item id, the latest of each. */
interface Waiting {
  readonly payloads: Map<string, string>;
  readonly published: Promise<void>;
}

/** Bytes of a marker, which has one id in it. */
const maxMarkerBytes = 4096;
/** Bytes of the id of an item. */
const maxIdBytes = 1023;
/** Markers of one account that can wait for the disk; the next ones are lost. */
const maxWaiting = 1000;

/**
 * Message Displayed Synchronization (XEP-0490): takes markers out of the messages of an account's own clients, and publishes them for the
 * other clients of the account.
 */
export function displayedMarkers(deps: DisplayedMarkersDeps): Extension {
  const markers = new DisplayedMarkers(deps);
  return {
    name: 'displayed-markers',
    claims: [{ spec: 'XEP-0490', title: 'Message Displayed Synchronization', version: '1.0.1', status: 'complete' }],
    disco: { account: [ns.displayedMarkersAssist] },
    prepare: (message, _sender, session) => (session ? markers.takeFrom(message, session) : message),
  };
}

class DisplayedMarkers {
  readonly #deps: DisplayedMarkersDeps;
  readonly #waiting = new WeakMap<Account, Waiting>();

  constructor(deps: DisplayedMarkersDeps) {
    this.#deps = deps;
  }

  /** Returns the message without its marker; nothing if nothing else is in it (XEP-0490 §4.5.3). */
  takeFrom(message: Stanza, session: Session): Stanza | undefined {
    const { payload, to } = message;
    const marker = payload.find('displayed', ns.displayedMarkers);
    if (!marker) return message;
    if (to && marker.end - marker.start <= maxMarkerBytes) {
      const published = this.#publish(session.account, to.toString(), serialize(payload.element(marker)));
      if (published && session.needsAck) session.ackAfter(published);
    }
    const left = payload.without((child) => child.name === 'displayed' && child.ns === ns.displayedMarkers);
    return left.children.length === 0 ? undefined : message.with({ payload: left });
  }

  /** Markers that come while earlier ones are being written are written together. Does not reject: the message goes on in any case. */
  #publish(account: Account, id: string, payload: string): Promise<void> | undefined {
    if (Buffer.byteLength(id) > maxIdBytes) return undefined;
    const waiting = this.#waiting.get(account) ?? this.#begin(account);
    if (waiting.payloads.size < maxWaiting || waiting.payloads.has(id)) waiting.payloads.set(id, payload);
    return waiting.published;
  }

  #begin(account: Account): Waiting {
    const payloads = new Map<string, string>();
    const change = () => {
      this.#waiting.delete(account);
      return { published: Array.from(payloads, ([id, payload]) => ({ id, payload })) };
    };
    const published = this.#deps.nodes
      .change(account, ns.displayedMarkers, change)
      .catch((error: unknown) => this.#failed(error));
    const waiting = { payloads, published };
    this.#waiting.set(account, waiting);
    return waiting;
  }

  #failed(error: unknown): void {
    // The user has no room for them, or the disk is full: both are told where they are caused.
    if (error instanceof StanzaError || (error instanceof StorageError && error.isPassing)) return;
    this.#deps.log.error({ err: error }, 'displayed markers were not published');
  }
}
