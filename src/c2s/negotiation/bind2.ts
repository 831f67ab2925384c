import { createHmac } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { randomId } from '../../protocol/random-id.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { SessionFeature } from '../../routing/extension.ts';
import type { Session } from '../../routing/session.ts';
import { attribute, childElements, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import type { ClientSession } from '../client-session.ts';
import type { ClientSessions } from '../client-sessions.ts';
import type { StreamManagement } from '../management/stream-management.ts';
import type { NegotiatingStream } from './stream-feature.ts';

/** Dependencies of Bind 2. */
interface Bind2Deps {
  readonly sessions: ClientSessions;
  readonly management: StreamManagement;
  /** What a client can enable while it binds. */
  readonly features: readonly SessionFeature[];
  /** Called in the turn in which a session was bound; resolves with what else its client is told. */
  readonly bound: (session: Session) => Promise<readonly Element[]>;
  /** Makes the resources of one installation stable without showing its id. */
  readonly secret: Buffer;
}

/** A session bound on the way, and what the client is told about it. */
interface Bound {
  readonly session: ClientSession;
  readonly element: Element;
}

/** Resource binding within SASL2 (XEP-0386). */
export class Bind2 {
  readonly #deps: Bind2Deps;

  constructor(deps: Bind2Deps) {
    this.#deps = deps;
  }

  /** The `<bind/>` for the inline features of SASL2. */
  offer(): Element {
    const features = new Set([...this.#deps.features.map((feature) => feature.ns), ns.streamManagement]);
    const listed = [...features].map((name) => xml('feature', { xmlns: ns.bind2, var: name }));
    return xml('bind', { xmlns: ns.bind2 }, xml('inline', { xmlns: ns.bind2 }, ...listed));
  }

  /** Binds a resource as the `<bind/>` in an `<authenticate/>` asks. Throws StreamError: too late for a SASL failure. */
  async bind(stream: NegotiatingStream, identity: Jid, request: Element, authenticate: Element): Promise<Bound> {
    const resource = this.#resource(identity, request, authenticate);
    try {
      const session = await this.#deps.sessions.bind(identity, resource, stream);
      this.#enable(session, request);
      const content = await this.#deps.bound(session);
      return { session, element: xml('bound', { xmlns: ns.bind2 }, ...content, this.#manage(session, request)) };
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      throw error.condition === 'conflict' ? StreamError.conflict(error.text) : StreamError.policyViolation(error.text);
    }
  }

  /** XEP-0198 §9.1: the answer to `<enable/>` goes into `<bound/>`. */
  #manage(session: ClientSession, request: Element): Element | undefined {
    const enable = request.getChild('enable', ns.streamManagement);
    return enable && this.#deps.management.enable(session, attribute(enable, 'resume'), attribute(enable, 'max'));
  }

  #enable(session: ClientSession, request: Element): void {
    for (const child of childElements(request)) {
      const feature = this.#deps.features.find(({ name, ns }) => name === child.getName() && ns === nsOf(child));
      feature?.enable(session, child);
    }
  }

  /** XEP-0386 §3.2.1: the client's tag, a slash, and our part, which stays the same for the same installation. */
  #resource(identity: Jid, request: Element, authenticate: Element): string {
    const tag = request.getChild('tag', ns.bind2);
    const agent = authenticate.getChild('user-agent', ns.sasl2)?.attrs['id'];
    const own = agent === undefined ? randomId() : this.#stableId(identity, agent);
    const prefix = tag && textOf(tag);
    return prefix ? `${prefix}/${own}` : own;
  }

  #stableId(identity: Jid, agent: string): string {
    return createHmac('sha256', this.#deps.secret).update(`${identity}\0${agent}`).digest('base64url').slice(0, 16);
  }
}
