import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { ServerProcess } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

/** What a client asks for, and the part of the answer that must be the same on both servers. */
export type Question = readonly [payload: string, part: string];

const muc = 'http://jabber.org/protocol/muc';

/** A submitted form. */
export function form(type: string, values: Readonly<Record<string, string>>): string {
  const fields = Object.entries(values).map(([name, value]) => `<field var="${name}"><value>${value}</value></field>`);
  const hidden = `<field var="FORM_TYPE" type="hidden"><value>${type}</value></field>`;
  return `<x xmlns="jabber:x:data" type="submit">${hidden}${fields.join('')}</x>`;
}

/** What both servers write differently without a difference in meaning. */
const insignificant = new Set(['ver', 'queryid', 'publisher', 'code']);
/** What an archive adds to a message, which may differ. The ids and times are compared apart. */
const added = new Set(['archived', 'stanza-id', 'delay']);

/** A tree as text with its attributes in alphabetical order. */
function canonical(tree: Tree): string {
  const attributes = Array.from(tree.attributes).filter(([name]) => !insignificant.has(name));
  const text = attributes.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).sort();
  const children = tree.children.filter(({ name }) => !added.has(name));
  return `<${tree.name} ${tree.ns}${text.join('')}>${tree.text}${children.map(canonical).join('')}`;
}

/** The answer to a request, past everything else. */
export async function answerTo(client: TestClient, type: 'get' | 'set', payload: string, to?: string): Promise<Tree> {
  return (await untilAnswerTo(client, type, payload, to)).at(-1) ?? expect.fail('no answer');
}

async function untilAnswerTo(client: TestClient, type: 'get' | 'set', payload: string, to?: string): Promise<Tree[]> {
  client.sends(`<iq type="${type}" id="ask"${to === undefined ? '' : ` to="${to}"`}>${payload}</iq>`);
  const came: Tree[] = [];
  for (;;) {
    const tree = await client.receives('<any.>...</any.>');
    came.push(tree);
    if (tree.name === 'iq' && tree.attributes.get('id') === 'ask') return came;
  }
}

/** Has a client store something, which must succeed. */
export async function stores(client: TestClient, payload: string, to?: string): Promise<void> {
  expect((await answerTo(client, 'set', payload, to)).raw).to.include('result');
}

/** The answers to questions, as text. */
export async function answersOf(client: TestClient, questions: readonly Question[]): Promise<string[]> {
  const answers: string[] = [];
  for (const [payload, part] of questions) {
    const answer = await answerTo(client, 'get', payload);
    const found = childOf(answer, part) ?? childOf(answer, 'error');
    // An error may also have an old numeric code.
    answers.push(found ? canonical(found).replace(/ code="\d+"/, '') : answer.raw);
  }
  return answers;
}

/** The archived messages with their ids, and their times. */
export async function archiveOf(client: TestClient) {
  const came = await untilAnswerTo(client, 'set', '<query xmlns="urn:xmpp:mam:2"/>');
  const results = came.flatMap((tree) => childOf(tree, 'result') ?? []);
  const times = results.map((result) => Date.parse(findTree(result, 'delay')?.attributes.get('stamp') ?? ''));
  return { messages: results.map(canonical), times };
}

/**
 * Throws unless an archive has come over whole. Times may differ by a second: messages from the last second before an import get a time in
 * front of it, because ids are times and those of the present are taken, and Prosody rounds to seconds.
 */
export function expectMovedIn(
  imported: Awaited<ReturnType<typeof archiveOf>>,
  original: Awaited<ReturnType<typeof archiveOf>>,
): void {
  expect(imported.messages).to.deep.equal(original.messages);
  for (const [index, time] of original.times.entries()) expect(imported.times[index]).to.be.closeTo(time, 1000);
}

/** What the owner of a room sees of it: its lists, the values of these options, and the messages in its archive. */
export async function roomAnswers(owner: TestClient, room: string, options: ReadonlySet<string>): Promise<unknown> {
  const lists: string[] = [];
  for (const affiliation of ['owner', 'admin', 'member', 'outcast']) {
    const wanted = `<query xmlns="${muc}#admin"><item affiliation="${affiliation}"/></query>`;
    const items = childOf(await answerTo(owner, 'get', wanted, room), 'query')?.children ?? [];
    lists.push(...items.map(({ attributes }) => `${attributes.get('jid')} ${attributes.get('affiliation')}`).sort());
  }
  const sheet = findTree(await answerTo(owner, 'get', `<query xmlns="${muc}#owner"/>`, room), 'x');
  const settings = (sheet?.children ?? []).flatMap((field) => {
    const name = field.attributes.get('var')?.replace('muc#roomconfig_', '') ?? '';
    return options.has(name) ? [`${name}=${childOf(field, 'value')?.text}`] : [];
  });
  const came = await untilAnswerTo(owner, 'set', '<query xmlns="urn:xmpp:mam:2"/>', room);
  const archived = came.flatMap((tree) => {
    const message = findTree(tree, 'forwarded') && findTree(findTree(tree, 'forwarded') ?? tree, 'message');
    const body = message && childOf(message, 'body');
    return body ? [`${message.attributes.get('from')}: ${body.text}`] : [];
  });
  return { lists, settings: settings.sort(), archived };
}

/** The next stanzas that contain one of some texts, in any order: as many as there are texts. */
export async function untilAll(client: TestClient, ...texts: readonly string[]): Promise<Tree[]> {
  const came: Tree[] = [];
  while (came.length < texts.length) {
    const tree = await client.receives('<any.>...</any.>');
    if (texts.some((text) => tree.raw.includes(text))) came.push(tree);
  }
  return came;
}

/** A client of an account that has moved in. */
export async function logsInAt(
  server: ServerProcess,
  domain: string,
  username: string,
  presence: boolean,
): Promise<TestClient> {
  const tls = { ca: await readFile(server.caFile), servername: domain, ALPNProtocols: ['xmpp-client'] };
  const client = await TestClient.connect({ host: '127.0.0.1', port: server.place.ports.direct, tls }, domain);
  await client.opens();
  await client.authenticates({ username, password: 'pw', mechanism: 'SCRAM-SHA-1' });
  await client.binds('r');
  if (presence) client.sends('<presence/>');
  return client;
}
