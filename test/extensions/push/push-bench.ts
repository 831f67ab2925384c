import { setImmediate as turn } from 'node:timers/promises';
import { archive } from '../../../src/extensions/archive/archive.ts';
import { carbons } from '../../../src/extensions/carbons/carbons.ts';
import { offline } from '../../../src/extensions/offline/offline.ts';
import { type PushOptions, push } from '../../../src/extensions/push/push.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import type { StanzaError } from '../../../src/protocol/stanza-error.ts';
import { errorReply, iqResult } from '../../../src/protocol/stanza-replies.ts';
import type { Account } from '../../../src/routing/account.ts';
import type { Extension } from '../../../src/routing/extension.ts';
import { serviceOf } from '../../support/service-of.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { Bench } from '../bench.ts';

const defaults: PushOptions = { enabled: true, maxPerAccount: 20, perMinute: 60, sender: false, body: false };

/** A server with push, and push services in the domain `push.example` that answer what the test says. Make it inside a `describe`. */
export class PushBench {
  readonly bench: Bench;
  options = defaults;
  archives = false;
  /** A judge, for tests of plans that fail. */
  judge: Extension['judge'];
  /** What the services got, in order. */
  readonly requests: Stanza[] = [];
  /** How the services answer; `silence`: not at all. */
  answer: StanzaError | 'result' | 'silence' = 'result';

  constructor() {
    // Before the bench makes the extensions for the test.
    beforeEach(() => {
      this.requests.length = 0;
      this.answer = 'result';
      this.judge = undefined;
      this.#configure({});
    });
    this.bench = new Bench((deps) => {
      const { storage, routing, clock } = deps;
      const quota = { maxMessages: 1000, maxBytes: 1_000_000 };
      const kept = { enabled: true, markers: true, keepDays: 365, maxPerAccount: null };
      return {
        extensions: [
          { name: 'judge', claims: [], ...(this.judge && { judge: this.judge }) },
          offline({ ...deps, store: storage.offline, options: { ...quota, toArchiveClients: false } }),
          ...(this.archives ? [archive({ ...deps, options: kept })] : []),
          carbons(routing.sessions),
          push({ ...deps, options: this.options, store: storage.push, clock }),
        ],
        services: [serviceOf('push.example', false, (request) => this.#take(request))],
      };
    });
  }

  /** Starts the server again with other options. */
  restart(options: Partial<PushOptions> & { readonly archives?: boolean } = {}): void {
    this.#configure(options);
    this.bench.rebuild();
  }

  /** A new account with one session; its client has enabled a node of the push service. */
  async enabled(node = 'n1', presence?: string): Promise<StubSession> {
    const session = await this.bench.user('juliet', presence);
    await this.enables(session, node);
    return session;
  }

  async enables(session: StubSession, node: string, content = ''): Promise<string[]> {
    return this.bench.asks(session, enable(`jid='push.example' node='${node}'`, content));
  }

  /** Ends the session: its device is away from now on. */
  async away(node = 'n1', presence?: string): Promise<Account> {
    const session = await this.enabled(node, presence);
    this.bench.ends(session);
    return session.account;
  }

  /** Somebody sends a message; resolves when everything that it causes has happened. */
  async message(to: string, content = '<body>hi</body>', attributes = "type='chat'"): Promise<void> {
    await this.bench.comes(`<message from='romeo@montague.example/r' to='${to}' ${attributes}>${content}</message>`);
    await this.settles();
  }

  /** Waits for the store and for the answers. */
  async settles(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.bench.storage.push.list('nobody@localhost');
      await turn();
    }
  }

  /** The notifications since the last call: the node, and the number of messages. */
  told(): string[] {
    return this.requests.splice(0).map((request) => {
      const text = request.toString();
      return `${/<publish node="([^"]*)"/.exec(text)?.[1]} ${/"message-count"><value>(\d+)</.exec(text)?.[1]}`;
    });
  }

  /** The nodes that are enabled for an account, on the disk. */
  async stored(account: Account): Promise<string[]> {
    return (await this.bench.storage.push.list(account.key)).map(({ node }) => node);
  }

  #configure({ archives = false, ...options }: Partial<PushOptions> & { readonly archives?: boolean }): void {
    this.options = { ...defaults, ...options };
    this.archives = archives;
  }

  #take(request: Stanza): void {
    this.requests.push(request);
    if (this.answer === 'silence') return;
    const answer = this.answer === 'result' ? iqResult(request) : errorReply(request, this.answer);
    if (answer) void this.bench.routing.route(answer);
  }
}

/** An iq that enables a push service. */
export function enable(attributes: string, content = ''): string {
  return `<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' ${attributes}>${content}</enable></iq>`;
}

/** An iq that disables a push service. */
export function disable(attributes: string): string {
  return `<iq type='set' id='d'><disable xmlns='urn:xmpp:push:0' ${attributes}/></iq>`;
}

/** The publish options of a client. */
export function publishOptions(...fields: readonly (readonly [name: string, value: string])[]): string {
  const all = [['FORM_TYPE', 'http://jabber.org/protocol/pubsub#publish-options'] as const, ...fields];
  const text = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join('');
  return `<x xmlns='jabber:x:data' type='submit'>${text}</x>`;
}
