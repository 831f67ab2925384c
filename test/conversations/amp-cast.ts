import { type Account, befriend, type Stage } from '../support/conversation.ts';
import { expectTrees, rawOf, type TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

export const amp = 'http://jabber.org/protocol/amp';
export const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

/** A rule from its three words: `drop deliver stored`. */
export function rule(words: string): string {
  const [action, condition, value] = words.split(' ');
  return `<rule action="${action}" condition="${condition}" value="${value}"/>`;
}

export function rules(...words: string[]): string {
  return `<amp xmlns="${amp}">${words.map(rule).join('')}</amp>`;
}

/** The optional parts of a message with rules. */
export interface Extras {
  readonly id?: string;
  readonly type?: string;
  readonly body?: string;
  readonly more?: string;
}

/** A message with rules. */
export function message(to: string, words: readonly string[], extras: Extras = {}): string {
  const { id = 'm1', type = 'chat', body = 'Good morrow', more = '' } = extras;
  return `<message to="${to}" id="${id}" type="${type}"><body>${body}</body>${more}${rules(...words)}</message>`;
}

/** The message as its recipient gets it: signed (XEP-0079 §4.1). */
export function signed(from: string, to: string, words: readonly string[], more = ''): string {
  const inner = words.map(rule).join('');
  return `<message from="${from}" to="${to}" id="m1"><body>Good morrow</body>${more}<amp xmlns="${amp}" from="${from}" to="${to}">${inner}</amp></message>`;
}

/** The report that a rule has fired, to the last attribute (XEP-0079 §3.4). */
export function report(sender: TestClient, to: string, words: string, by = sender.domain): string {
  const [status] = words.split(' ');
  const about = `<amp xmlns="${amp}" status="${status}" from="${sender.jid}" to="${to}">${rule(words)}</amp>`;
  const head = `<message from="${by}" to="${sender.jid}" id="m1"`;
  if (status !== 'error') return `${head} type="{none}">${about}</message>`;
  const failed = `<failed-rules xmlns="${amp}#errors">${rule(words)}</failed-rules>`;
  const error = `<error type="modify" code="500"><undefined-condition xmlns="${stanzas}"/>${failed}</error>`;
  return `${head} type="error">${about}${error}</message>`;
}

/** The refusal of a message because of some of its rules (XEP-0079 §6.2). */
export function refusal(
  sender: TestClient,
  fault: 'unsupported-actions' | 'unsupported-conditions' | 'invalid-rules',
  all: readonly string[],
  faulty = all,
): string {
  const [condition, code] = fault === 'invalid-rules' ? ['not-acceptable', 405] : ['bad-request', 400];
  const list = `<${fault} xmlns="${amp}">${faulty.map(rule).join('')}</${fault}>`;
  const error = `<error type="modify" code="${code}"><${condition} xmlns="${stanzas}"/>${list}</error>`;
  return `<message from="${sender.domain}" to="${sender.jid}" id="m1" type="error">${rules(...all)}${error}</message>`;
}

/** The error for an undeliverable message without rules (RFC 6121 §8.5). */
export function unavailable(sender: TestClient, from: string): string {
  const error = `<error type="cancel"><service-unavailable xmlns="${stanzas}"/></error>`;
  return `<message from="${from}" to="${sender.jid}" id="m1" type="error">${error}</message>`;
}

export const messagesOf = (trees: readonly Tree[]) => trees.filter(({ name }) => name === 'message');
export const bodiesOf = (trees: readonly Tree[]) => messagesOf(trees).map((tree) => childOf(tree, 'body')?.text);

/** Romeo is online; Juliet, who has approved his subscription, is offline. */
export async function apart(stage: Stage): Promise<{ romeo: TestClient; juliet: Account }> {
  const { romeo } = await stage.enter(['romeo']);
  const juliet = await stage.account('juliet');
  const once = await juliet.arrives({ resource: 'once' });
  await befriend(romeo, once);
  await once.closes();
  await romeo.drains();
  return { romeo, juliet };
}

/** Both are online and see each other's presence. */
export async function together(stage: Stage, resource = 'balcony') {
  const { romeo, juliet } = await apart(stage);
  const balcony = await juliet.arrives({ resource });
  await romeo.drains();
  return { romeo, juliet, balcony };
}

/** Sends text and waits until the server has handled all of it, writes included. Resolves with the received messages. */
export async function answersTo(sender: TestClient, stanza: string): Promise<Tree[]> {
  // Storage works in the order of its calls: when a read is answered, earlier writes are done.
  const read = '<iq type="get" id="read"><query xmlns="jabber:iq:private"><x xmlns="urn:x"/></query></iq>';
  sender.sends(stanza, read);
  return messagesOf(await sender.drains());
}

/** The next messages, without the presence between them. */
export async function nextMessages(client: TestClient, count: number): Promise<Tree[]> {
  const found: Tree[] = [];
  while (found.length < count) found.push(...messagesOf([await client.receives('<any. xmlns="*">...</any.>')]));
  return found;
}

/** No message has come. */
export async function hearsNothing(client: TestClient): Promise<void> {
  expectTrees(messagesOf(await client.drains()));
}

/** The received stanzas as text, without names that differ between senders and recipients. */
export function anonymous(trees: readonly Tree[], ...names: string[]): string {
  return names.reduce((text, name) => text.replaceAll(name, 'X'), trees.map(rawOf).join('\n'));
}
