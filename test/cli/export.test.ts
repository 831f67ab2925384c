import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import { defaultNodeConfig } from '../../src/protocol/pubsub-config.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { timeOfId } from '../../src/storage/ordered-ids.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { PortableContact } from '../../src/web/control/portable-account.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { ampleQuota, sampleCredentials } from '../storage/samples.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const juliet = 'juliet@localhost';
const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };

/** What an account owns, as the tests invent it. */
interface Belongings {
  readonly contacts: readonly PortableContact[];
  readonly blocked: readonly string[];
  readonly vcard: string | undefined;
  readonly fragments: readonly string[];
  readonly offline: readonly Invented[];
  readonly archived: readonly Invented[];
  readonly preferences: string | undefined;
  readonly nodes: readonly InventedNode[];
  readonly forwardTo: string | undefined;
  readonly lastSeen: { readonly atMs: number; readonly status: string } | undefined;
  readonly suspension: { readonly atMs: number; readonly reason?: string; readonly removeAtMs?: number } | undefined;
  readonly bcrypt: string | undefined;
}

interface Invented {
  readonly atMs: number;
  readonly peer: number;
  readonly sent: boolean;
  readonly text: string;
}

interface InventedNode {
  readonly items: readonly string[];
  readonly subscribers: readonly number[];
  readonly members: readonly number[];
  readonly accessModel: 'open' | 'whitelist' | 'roster';
  readonly maxItems: number | 'max';
  readonly title: string;
}

/** Text as users write it, with all that XML must escape. */
const text = fc.string({ unit: fc.constantFrom(...'ab <>&\'"\n\t]\u{1f339}ß\u00a0'), maxLength: 20 });
const start = Date.UTC(2020, 0, 1);
const message = fc.record({ atMs: fc.nat({ max: 5 }), peer: fc.nat({ max: 3 }), sent: fc.boolean(), text });
const time = fc.nat({ max: 5 }).map((after) => start + after);
/** The rules about time that the store keeps beside a message, if it has some. */
const ruleOf = (atMs: number) =>
  atMs === 0 ? { rules: '[{"rules":[["drop","expire-at","<&>",0]]}]', dueAtMs: start } : undefined;
const optional = <Value>(some: fc.Arbitrary<Value>) => fc.option(some, { nil: undefined });
const peer = (number: number) => `peer${number}@elsewhere.example`;

const belongings: fc.Arbitrary<Belongings> = fc.record({
  contacts: fc.uniqueArray(
    fc
      .record({
        contact: fc.nat({ max: 9 }).map(peer),
        name: text,
        groups: fc.uniqueArray(
          text.filter((group) => group !== ''),
          { maxLength: 3 },
        ),
        subscription: fc.constantFrom('none', 'to', 'from', 'both'),
        ask: fc.boolean(),
        approved: fc.boolean(),
        inRoster: fc.boolean(),
        requested: fc.boolean(),
      })
      .map(({ requested, inRoster, ...item }): PortableContact => {
        const pendingIn = `<presence from="${item.contact}" type="subscribe"><status>please</status></presence>`;
        if (inRoster) return { ...item, inRoster, ...(requested && { pendingIn }) };
        const blank = { name: '', groups: [], subscription: 'none', ask: false, approved: false } as const;
        return { ...blank, contact: item.contact, inRoster, pendingIn };
      }),
    { selector: ({ contact }) => contact, maxLength: 5 },
  ),
  blocked: fc.uniqueArray(
    fc.nat({ max: 9 }).map((number) => `${peer(number)}/x`),
    { maxLength: 3 },
  ),
  vcard: fc.option(
    text.map((name) => `<vCard xmlns="vcard-temp"><FN>${escaped(name)}</FN></vCard>`),
    { nil: undefined },
  ),
  fragments: fc.array(text, { maxLength: 3 }),
  offline: fc.array(message, { maxLength: 5 }),
  archived: fc.array(message, { maxLength: 12 }),
  preferences: fc
    .option(fc.constantFrom('roster', 'never'), { nil: undefined })
    .map(
      (byDefault) => byDefault && JSON.stringify({ byDefault, always: [peer(1)], never: [peer(2), `${peer(3)}/r`] }),
    ),
  nodes: fc.array(
    fc.record({
      items: fc.array(text, { maxLength: 4 }),
      subscribers: fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 }),
      members: fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 }),
      accessModel: fc.constantFrom('open', 'whitelist', 'roster'),
      maxItems: fc.constantFrom<(number | 'max')[]>(7, 'max'),
      title: text,
    }),
    { maxLength: 3 },
  ),
  forwardTo: optional(fc.constantFrom(peer(1), `${peer(2)}/x`)),
  lastSeen: optional(fc.record({ atMs: time, status: text })),
  suspension: optional(
    fc.record({ atMs: time, reason: text.map((reason) => `${reason}.`), removeAtMs: time }, { requiredKeys: ['atMs'] }),
  ),
  bcrypt: optional(fc.constant('$2b$04$abc/.DEF')),
});

function escaped(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function messageXml({ peer: number, sent, text: body }: Invented, owner = juliet): string {
  const [from, to] = sent ? [`${owner}/balcony`, peer(number)] : [`${peer(number)}/x`, owner];
  const extra = `<e:data xmlns:e="urn:extra" e:a="${escaped(body).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"/>`;
  return `<message from="${from}" to="${to}" id="m" type="chat" xml:lang="de"><body>${escaped(body)}</body>${extra}</message>`;
}

async function give(storage: Storage, owner: string, given: Belongings): Promise<void> {
  const { scram } = sampleCredentials();
  await storage.accounts.create(owner, given.bcrypt === undefined ? { scram } : { scram, bcrypt: given.bcrypt });
  await storage.accounts.setForward(owner, given.forwardTo);
  if (given.lastSeen) await storage.accounts.setLastSeen(owner, given.lastSeen.atMs, given.lastSeen.status);
  if (given.suspension) await storage.moderation.suspend({ jid: owner, ...given.suspension });
  for (const { pendingIn, ...contact } of given.contacts) {
    await storage.rosters.put(owner, { ...contact, ...(pendingIn && { pendingIn: Buffer.from(pendingIn) }) });
  }
  if (given.blocked.length > 0) await storage.blocklists.add(owner, given.blocked);
  if (given.vcard !== undefined) await storage.vcards.set(owner, given.vcard);
  for (const [index, content] of given.fragments.entries()) {
    const xml = `<f${index} xmlns="urn:f">${escaped(content)}</f${index}>`;
    await storage.privateXml.set(owner, `f${index}`, 'urn:f', xml, 1_000_000);
  }
  for (const one of given.offline) {
    const bytes = Buffer.from(messageXml({ ...one, sent: false }, owner));
    await storage.offline.append(
      owner,
      { from: `${peer(one.peer)}/x`, receivedAtMs: start + one.atMs, bytes, kept: ruleOf(one.atMs) },
      ampleQuota,
    );
  }
  for (const [index, { items, subscribers, members, title, ...rest }] of given.nodes.entries()) {
    const named = members.length > 0 && { members: members.map(peer).sort() };
    const config = JSON.stringify({ ...defaultNodeConfig, ...rest, title, ...named });
    await storage.pep.create(owner, { name: `node ${index} &`, config, createdAtMs: 1 });
    for (const [number, content] of items.entries()) {
      const item = { id: `<${number}>`, publishedAtMs: 1, payload: `<p xmlns="urn:p">${escaped(content)}</p>` };
      await storage.pep.publish(owner, `node ${index} &`, { items: [item], maxItems: 10, maxBytes: 1_000_000 });
    }
    for (const number of subscribers) await storage.pep.subscribe(owner, `node ${index} &`, peer(number), 10);
  }
  const archive = (await storage.archive.open(owner))!.archive;
  if (given.preferences !== undefined) await storage.archive.setPreferences(archive, given.preferences);
  const messages = given.archived.map((one) => ({
    atMs: start + one.atMs,
    bytes: Buffer.from(messageXml(one, owner)),
    peer: peer(one.peer),
  }));
  await storage.archive.importMessages(archive, messages);
}

/** All that can be seen of an account. Of ids of archived messages it has what clients see. */
async function seen(storage: Storage, owner: string) {
  const { archive, preferences } = (await storage.archive.open(owner))!;
  const ids = new ArchiveIds(await storage.secrets.get('archive-ids'));
  const record = await storage.accounts.load(owner);
  const page = await storage.archive.page(archive, everything, 200_000, 'first');
  const ofPeer = await storage.archive.page(archive, { ...everything, peer: peer(1) }, 1000, 'first');
  const tree = (xml: string) => parseElement(xml).toString();
  const nodes = [];
  for (const { name, config } of await storage.pep.nodes(owner)) {
    const items = await storage.pep.items(owner, name, {});
    const subscribers = await storage.pep.subscribers(owner, name);
    nodes.push({
      name,
      config: JSON.parse(config),
      subscribers,
      items: items.map(({ id, payload }) => [id, tree(payload)]),
    });
  }
  const { passwordVersion: _version, ...credentials } = (await storage.accounts.credentials(owner)) ?? expect.fail();
  return {
    credentials,
    roster: record?.roster.map(({ version: _, pendingIn, ...item }) => ({ ...item, pendingIn: pendingIn?.toString() })),
    blocked: record?.blocked,
    vcard: await storage.vcards.get(owner).then((vcard) => vcard && tree(vcard)),
    fragments: (await storage.privateXml.all(owner)).map(({ name, ns, xml }) => [name, ns, tree(xml)]),
    offline: (await storage.offline.list(owner, 0, 1000)).map(({ from, receivedAtMs, bytes, dueAtMs }) => [
      ...[from, receivedAtMs, canonical(bytes), dueAtMs],
    ]),
    rules: (await storage.offline.due({ untilMs: Number.MAX_SAFE_INTEGER, owner, limit: 1000 })).map(
      ({ rules, dueAtMs }) => [rules, dueAtMs],
    ),
    forwardTo: record?.forwardTo,
    lastSeen: record?.lastSeen,
    suspension: (await storage.moderation.suspensions()).find(({ jid }) => jid === owner),
    preferences: preferences && JSON.parse(preferences),
    archived: page.map(({ id, importedId, bytes }) => [
      ...[importedId ?? ids.write(archive, id), timeOfId(id), canonical(bytes)],
    ]),
    ofPeer: ofPeer.length,
    nodes,
  };
}

function canonical(bytes: Buffer): string {
  return Stanza.fromFrame(parseFrame(bytes)).element().toString();
}

async function stored<T>(workplace: Workplace, look: (storage: Storage) => Promise<T>): Promise<T> {
  const onFatal = (error: Error) => {
    throw error;
  };
  const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal, quickCheck: false });
  try {
    return await look(storage);
  } finally {
    await storage.close();
  }
}

describe('user export', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  /** The ways to export all accounts, and what is imported then. */
  const ways: Readonly<Record<string, () => Promise<{ readonly from: string; readonly stdin?: string }>>> = {
    'a domain': async () => ({ from: '-', stdin: await workplace.done('user', 'export', 'localhost') }),
    'a file': async () => {
      rmSync(workplace.path('all.xml'), { force: true });
      await workplace.done('export', 'all.xml');
      return { from: 'all.xml' };
    },
    'a directory': async () => {
      rmSync(workplace.path('all'), { recursive: true, force: true });
      await workplace.done('export', 'all');
      return { from: 'all' };
    },
  };

  it('writes accounts that an import makes again, whatever they have', async () => {
    const wayOrder = fc.constantFrom(...Object.values(ways));
    await fc.assert(
      fc.asyncProperty(fc.array(belongings, { minLength: 4, maxLength: 4 }), wayOrder, async (given, exports) => {
        const owners = given.map((_, index) => (index === 0 ? juliet : `user${index}@localhost`));
        const before = await stored(workplace, async (storage) => {
          for (const [index, owner] of owners.entries()) await give(storage, owner, given[index]!);
          return Promise.all(owners.map((owner) => seen(storage, owner)));
        });
        const { from, stdin = '' } = await exports();
        await stored(workplace, async ({ accounts }) => {
          for (const owner of owners) expect(await accounts.remove(owner)).to.equal(true);
        });
        const { code, out, err } = await workplace.run(['user', 'import', from, '--json'], { stdin });
        expect({ code, err }).to.deep.equal({ code: 0, err: '' });
        expect(JSON.parse(out)).to.deep.equal({ created: 4, skipped: [], problems: [], losses: [] });
        await stored(workplace, async (storage) => {
          for (const [index, owner] of owners.entries()) {
            const after = await seen(storage, owner);
            for (const [what, value] of Object.entries(after)) {
              expect({ what, value }).to.deep.equal({ what, value: before[index]![what as keyof typeof after] });
            }
            await storage.accounts.remove(owner);
          }
        });
      }),
      { numRuns: 6, endOnFailure: true, examples: Object.values(ways).map((way) => [fc.sample(belongings, 4), way]) },
    );
  });

  const empty: Belongings = {
    ...{ contacts: [], blocked: [], vcard: undefined, fragments: [], offline: [], archived: [] },
    ...{ preferences: undefined, nodes: [], forwardTo: undefined, lastSeen: undefined, suspension: undefined },
    bcrypt: undefined,
  };
  const word = (text: string, atMs: number): Invented => ({ atMs, peer: 1, sent: false, text });

  it('writes a file that only its owner can read, and never over another', async () => {
    await stored(workplace, (storage) => give(storage, juliet, { ...empty, archived: [word('art thou', 3)] }));
    const file = workplace.path('juliet.xml');
    expect(await workplace.done('user', 'export', juliet, '--out', 'juliet.xml')).to.equal(`Written to ${file}.\n`);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    const xml = readFileSync(file, 'utf8');
    expect(xml)
      .to.match(
        /^<\?xml version='1.0' encoding='UTF-8'\?>\n<server-data xmlns="urn:xmpp:pie:0">\n<host jid="localhost">/,
      )
      .and.match(/<user name="juliet">\n<scram-credentials xmlns="urn:xmpp:pie:0#scram" mechanism="SCRAM-SHA-1">/)
      .and.match(
        /<archive xmlns="urn:xmpp:pie:0#mam">\n<result xmlns="urn:xmpp:mam:2" id="[\w-]{22}"><forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="2020-01-01T00:00:00.003Z"\/><message xmlns="jabber:client"/,
      );
    expect(await workplace.run(['user', 'export', juliet, '--out', file])).to.deep.equal({
      ...{ code: 5, out: '', err: `ampere: ${file} exists already.\n` },
    });
    expect(readFileSync(file, 'utf8')).to.equal(xml);
  });

  it('leaves no file behind if there is no such account', async () => {
    await stored(workplace, () => Promise.resolve());
    const { code, err } = await workplace.run(['user', 'export', juliet, '--out', 'juliet.xml']);
    expect({ code, err }).to.deep.equal({ code: 5, err: `ampere: There is no account ${juliet}.\n` });
    expect(existsSync(workplace.path('juliet.xml'))).to.equal(false);
    expect(await workplace.run(['user', 'export', 'nurse@elsewhere.example'])).to.include({ code: 5 });
  });

  it('says what it leaves out', async () => {
    await stored(workplace, async (storage) => {
      await give(storage, juliet, empty);
      const { archive } = (await storage.archive.open(juliet))!;
      const whole = Buffer.from(messageXml(word('whole', 0)));
      const bytes = [Buffer.from('<message'), whole];
      await storage.archive.importMessages(
        archive,
        bytes.map((one) => ({ atMs: 1, bytes: one, peer: peer(1) })),
      );
      const message = { from: peer(1), receivedAtMs: 1, bytes: Buffer.from('<message') };
      await storage.offline.append(juliet, message, ampleQuota);
    });
    const { code, out, err } = await workplace.run(['user', 'export', juliet]);
    expect(code).to.equal(0);
    expect(err.split('\n')).to.have.length(3);
    expect(err)
      .to.match(/^juliet@localhost: left out: an offline message: /m)
      .and.match(/^juliet@localhost: left out: an archived message: /m);
    expect(out.match(/<result /g)).to.have.length(1);
  });

  it('moves a large archive through a running server, in the order of its times', async () => {
    const total = 3000;
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      // All in one millisecond, in 300, and the same again: more than the ids of one millisecond.
      const archived = Array.from({ length: total }, (_, index) => word(`${index}`, Math.floor(index / 2000)));
      await give(server.storage, juliet, { ...empty, archived });
      const before = await seen(server.storage, juliet);
      await workplace.done('user', 'export', juliet, '--out', 'juliet.xml');
      await workplace.done('user', 'rm', juliet);
      expect(await workplace.done('user', 'import', 'juliet.xml')).to.equal(
        '1 created, 0 skipped because they exist, 0 not imported.\n',
      );
      const after = await seen(server.storage, juliet);
      const contents = ({ archived }: typeof after) => archived.map(([id, , xml]) => [id, xml]);
      expect(contents(after)).to.deep.equal(contents(before));
      expect(after.archived).to.have.length(total);
      // Nothing is sent for an account that exists.
      server.log.lines.length = 0;
      expect(await workplace.done('user', 'import', 'juliet.xml')).to.match(/^0 created, 1 skipped/);
      expect(server.log.lines.filter((line) => line.includes('/archives/import'))).to.have.length(1);
    } finally {
      await server.stop();
    }
  });
});
