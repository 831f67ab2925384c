import { blocking } from '../../../src/extensions/blocking/blocking.ts';
import { disco } from '../../../src/extensions/disco/disco.ts';
import { pep } from '../../../src/extensions/pep/pep.ts';
import { verificationString } from '../../../src/protocol/caps.ts';
import type { Extension } from '../../../src/routing/extension.ts';
import type { Outbound } from '../../../src/routing/outbound.ts';
import type { PersonalNodes } from '../../../src/routing/personal-nodes.ts';
import type { PepStore } from '../../../src/storage/pep.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { Bench, type BenchDeps } from '../bench.ts';

/** How a test changes the bench. */
interface PepFitting {
  readonly remotes?: Outbound;
  readonly store?: (store: PepStore) => PepStore;
  /** Extensions that use nodes. */
  readonly more?: (deps: BenchDeps, nodes: PersonalNodes) => readonly Extension<never>[];
}

/** A bench with personal eventing, service discovery and blocking. */
export function pepBench({ remotes, store = (same) => same, more = () => [] }: PepFitting = {}): Bench {
  return new Bench((deps) => {
    const { routing, storage, clock, log } = deps;
    stored = storage.pep;
    const hooks = () => extensions.flatMap((one) => one.nodes ?? []);
    const eventing = pep({ ...routing, store: store(storage.pep), hooks, clock, log });
    const extensions: Extension<never>[] = [
      blocking({ ...routing, store: storage.blocklists }),
      disco({
        name: 'Ampere',
        homepage: 'https://ampere.example',
        advertisements: () => extensions.flatMap((one) => one.disco ?? []),
        services: () => [],
      }),
      eventing.extension,
      ...more(deps, eventing.nodes),
    ];
    return { extensions, ...(remotes && { remotes }) };
  });
}

/** The `<pubsub/>` of a request. */
export const pubsub = (content: string) => `<pubsub xmlns='http://jabber.org/protocol/pubsub'>${content}</pubsub>`;
const ownerPubsub = (content: string) => `<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>${content}</pubsub>`;

/** A form with fields whose names are given without their prefix. */
export function form(type: string, fields: Record<string, string>): string {
  const field = ([name, value]: [string, string]) => `<field var='pubsub#${name}'><value>${value}</value></field>`;
  return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>
    <value>http://jabber.org/protocol/pubsub#${type}</value></field>${Object.entries(fields).map(field).join('')}</x>`;
}

export const set = (content: string, to = '') => `<iq type='set' id='q' ${to && `to='${to}'`}>${pubsub(content)}</iq>`;
export const get = (content: string, to = '') => `<iq type='get' id='q' ${to && `to='${to}'`}>${pubsub(content)}</iq>`;
export const ownerSet = (content: string, to = '') =>
  `<iq type='set' id='q' ${to && `to='${to}'`}>${ownerPubsub(content)}</iq>`;
export const ownerGet = (content: string, to = '') =>
  `<iq type='get' id='q' ${to && `to='${to}'`}>${ownerPubsub(content)}</iq>`;

/** A request that publishes an item, with publish options if there are any. */
export function publish(node: string, id: string, options?: Record<string, string>, text = id): string {
  const item = `<publish node='${node}'><item id='${id}'><p xmlns='urn:p'>${text}</p></item></publish>`;
  return set(options ? `${item}<publish-options>${form('publish-options', options)}</publish-options>` : item);
}

const identities = [{ category: 'client', type: 'pc' }];
const queryOf = (wanted: readonly string[]) =>
  `<identity category='client' type='pc'/>${wanted.map((node) => `<feature var='${node}+notify'/>`).join('')}`;

/** The presence of a client that wants notifications of some nodes. */
export function presenceWanting(...wanted: readonly string[]): string {
  const ver = verificationString({ identities, features: wanted.map((node) => `${node}+notify`) });
  return `<presence>${capsWith(ver)}</presence>`;
}

export const capsWith = (ver: string) =>
  `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example' ver='${ver}'/>`;

/** The request for its capabilities that a session has got, if there is one. */
export function discoRequestTo(session: StubSession): { readonly id: string; readonly from: string } | undefined {
  const asked = session.sent.find(({ kind, type, payload }) => {
    return kind === 'iq' && type === 'get' && payload.has('query', 'http://jabber.org/protocol/disco#info');
  });
  return asked?.id && asked.from ? { id: asked.id, from: asked.from.toString() } : undefined;
}

/** Comes online as a client that wants notifications of some nodes, and answers if it is asked about that. */
export async function comesOnline(bench: Bench, session: StubSession, ...wanted: readonly string[]): Promise<void> {
  await bench.does(session, presenceWanting(...wanted));
  await answersDisco(bench, session, wanted);
}

/** Answers the request for its capabilities, if the session has got one. */
export async function answersDisco(bench: Bench, session: StubSession, wanted: readonly string[]): Promise<void> {
  await settled();
  const asked = discoRequestTo(session);
  if (!asked) return;
  const query = `<query xmlns='http://jabber.org/protocol/disco#info'>${queryOf(wanted)}</query>`;
  await bench.does(session, `<iq type='result' id='${asked.id}' to='${asked.from}'>${query}</iq>`);
  await settled();
}

let stored: PepStore | undefined;

/** Everything that was begun has ended, in the store too: it answers in the order of its calls. No work of ours calls it more often. */
export async function settled(): Promise<void> {
  for (let call = 0; call < 12; call++) {
    await stored?.subscribers('nobody@localhost', '');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The notifications that a session has got since, each in a few words. */
export function notified(session: StubSession): string[] {
  const messages = session.sent.splice(0).filter(({ kind }) => kind === 'message');
  return messages.map(({ type, from, payload }) => {
    const text = payload.bytes.toString();
    const late = payload.has('delay', 'urn:xmpp:delay') ? ' late' : '';
    const node = /node="([^"]*)"/.exec(text)?.[1];
    const what = /<(item|retract|purge|delete|configuration)\b[^>]*?(?: id="([^"]*)")?\/?>/.exec(text);
    return `${type} ${from?.local.replace(/\d+$/, '')} ${node} ${what?.[1]} ${what?.[2] ?? ''}`.trim() + late;
  });
}
