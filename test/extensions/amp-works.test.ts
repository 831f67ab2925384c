import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { Account } from '../../src/routing/account.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import type { Extension, Recorder } from '../../src/routing/extension.ts';
import type { Outbound } from '../../src/routing/outbound.ts';
import type { OfflineStore } from '../../src/storage/offline.ts';
import type { OutboxStore } from '../../src/storage/outbox.ts';
import { StorageError, type StorageErrorCode } from '../../src/storage/storage-error.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { ampOn, fired } from './amp-on.ts';
import { Bench } from './bench.ts';

const ampNs = 'http://jabber.org/protocol/amp';
const everyOutcome = ['notify deliver stored', 'notify deliver direct', 'notify deliver none'];

function rules(...words: string[]): string {
  const written = words.map((text) => {
    const [action, condition, value] = text.split(' ');
    return `<rule action='${action}' condition='${condition}' value='${value}'/>`;
  });
  return `<amp xmlns='${ampNs}'>${written.join('')}</amp>`;
}

/** The received stanzas in a few words: reports by their rule, errors by their condition, messages by their body. */
function brief(session: StubSession): string[] {
  return session.taken().flatMap((text) => {
    if (!text.startsWith('<message')) return [];
    const status = /status="(\w+)".*?condition="([\w-]+)" value="([^"]*)"/.exec(text);
    if (status) return `${status[1]} ${status[2]} ${status[3]}`;
    return /<error type="\w+"[^>]*><([\w-]+)/.exec(text)?.[1] ?? /<body>(.*?)<\/body>/.exec(text)?.[1] ?? text;
  });
}

describe('AMP when things go wrong (XEP-0079 §2.2)', () => {
  type Fault = 'append' | 'settle' | 'outbox.list' | 'outbox.remove';
  let faults: Map<Fault, StorageErrorCode>;
  let held: Map<Fault, Promise<void>>;
  let replies = { perSecond: 1000, burst: 1000 };
  let recorded: string[] = [];
  let departed: string[] = [];
  let appends = 0;
  let extension: Extension<never>;

  const failing = async <T>(name: Fault, run: () => Promise<T>): Promise<T> => {
    await held.get(name);
    const code = faults.get(name);
    return code ? Promise.reject(new StorageError(code, 'for the test')) : run();
  };

  const bench = new Bench((core) => {
    const { storage } = core;
    const stored: OfflineStore = {
      ...storage.offline,
      append: (...given) => {
        appends += 1;
        return failing('append', () => storage.offline.append(...given));
      },
      settle: (...given) => failing('settle', () => storage.offline.settle(...given)),
    };
    const outbox: OutboxStore = {
      list: (...given) => failing('outbox.list', () => storage.outbox.list(...given)),
      remove: (...given) => failing('outbox.remove', () => storage.outbox.remove(...given)),
    };
    const options = { ...configSchema({ directory: '/', environment: {} }).parse({}).amp, replies };
    extension = ampOn(core, options, { offline: stored, outbox });
    const messages = offline({
      ...core,
      store: stored,
      options: { maxMessages: 10, maxBytes: 100_000, toArchiveClients: false },
    });
    const record: Recorder = ({ message, plan }) => void recorded.push(`${plan.kind} ${message.from?.local}`);
    const recorder = { name: 'recorder', claims: [], record };
    const remotes: Outbound = { send: (stanza) => void departed.push(stanza.toString()) };
    return { extensions: [extension, messages, recorder], remotes };
  });

  beforeEach(() => {
    faults = new Map();
    held = new Map();
    recorded = [];
    departed = [];
    appends = 0;
  });

  afterEach(async () => {
    await extension.closing?.();
    const left = await bench.storage.outbox.list(0, 1000);
    await bench.storage.outbox.remove(left.map(({ id }) => id));
  });

  async function couple(): Promise<{ romeo: StubSession; juliet: Account }> {
    const romeo = await bench.user('romeo', '<presence/>');
    const juliet = await bench.account('juliet');
    await bench.befriend(juliet, romeo.account);
    romeo.taken();
    return { romeo, juliet };
  }

  const send = (romeo: StubSession, to: string, ...words: string[]) =>
    bench.does(romeo, `<message id='m1' type='chat' to='${to}'><body>x</body>${rules(...words)}</message>`);

  async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await happened())) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves with the received stanzas when so many have arrived. */
  async function got(session: StubSession, count: number): Promise<string[]> {
    await until(() => session.sent.filter(({ kind }) => kind === 'message').length >= count);
    return brief(session);
  }

  for (const [code, condition] of [
    ['quota', 'service-unavailable'],
    ['full', 'resource-constraint'],
    ['io', 'internal-server-error'],
  ] as const) {
    it(`a message that cannot be stored is not delivered, and never reported as stored: ${code} (D-5, D-35)`, async () => {
      const { romeo, juliet } = await couple();
      faults.set('append', code);
      await send(romeo, juliet.key, ...everyOutcome);
      expect(await got(romeo, 2)).to.deep.equal(['notify deliver none', condition]);
      expect(await bench.storage.outbox.list(0, 10)).to.deep.equal([]);
      expect(juliet.stored.unarchived).to.deep.equal({ messages: 0, bytes: 0 });
      expect(bench.log.alarms.splice(0)).to.have.length(code === 'io' ? 1 : 0);
    });
  }

  it('a rule can still stop the error when storing fails (D-5, N-32)', async () => {
    const { romeo, juliet } = await couple();
    faults.set('append', 'full');
    await send(romeo, juliet.key, 'notify deliver stored', 'drop deliver none');
    await until(() => fired(extension, 'drop deliver none') === 1);
    expect(brief(romeo)).to.deep.equal([]);
  });

  it('a lost session is left out of the next plan (D-5, N-48)', async () => {
    const { romeo, juliet } = await couple();
    const broken = await bench.session(juliet, 'balcony', '<presence/>');
    broken.broken = true;
    romeo.taken();
    await send(romeo, juliet.key, ...everyOutcome);
    expect(await got(romeo, 1)).to.deep.equal(['notify deliver stored']);
    await send(romeo, broken.jid.toString(), 'error deliver stored', 'notify deliver direct');
    expect(await got(romeo, 1)).to.deep.equal(['error deliver stored']);
    bench.ends(broken);
    const garden = await bench.session(juliet, 'garden');
    await bench.does(garden, '<presence/>');
    expect(await got(garden, 1)).to.deep.equal(['x']);
  });

  it('one session that gets the message is enough, and is reported once (D-7)', async () => {
    const { romeo, juliet } = await couple();
    const [one, two, three] = await Promise.all(
      ['1', '2', '3'].map((name) => bench.session(juliet, name, '<presence/>')),
    );
    if (!one || !two || !three) expect.fail();
    one.broken = true;
    for (const session of [romeo, two, three]) session.taken();
    await send(romeo, juliet.key, ...everyOutcome);
    expect(brief(romeo)).to.deep.equal(['notify deliver direct']);
    expect([brief(two), brief(three)]).to.deep.equal([['x'], ['x']]);
  });

  it('a message held for a session that ends is planned again (D-5)', async () => {
    const { romeo, juliet } = await couple();
    const session = await bench.session(juliet, 'balcony', '<presence/>');
    romeo.taken();
    session.hold();
    await send(romeo, session.jid.toString(), ...everyOutcome);
    expect(brief(romeo)).to.deep.equal([]);
    session.ended = true;
    bench.routing.sessions.remove(session);
    session.release();
    expect(await got(romeo, 1)).to.deep.equal(['notify deliver stored']);
  });

  it('refused and stopped messages leave no trace, nor do reports (D-8, D-22, D-33)', async () => {
    const { romeo, juliet } = await couple();
    const name = romeo.account.jid.local;
    await send(romeo, juliet.key, 'explode deliver stored');
    expect(recorded).to.deep.equal([]);
    await send(romeo, juliet.key, 'alert deliver stored');
    expect(recorded).to.deep.equal([]);
    await send(romeo, juliet.key, 'notify deliver stored');
    expect(recorded.splice(0)).to.deep.equal([`stored ${name}`]);
    expect(await got(romeo, 3)).to.have.length(3);
    expect(recorded).to.deep.equal([]);
  });

  it('receipts and markers are independent of rules (XEP-0184 §5)', async () => {
    const { romeo, juliet } = await couple();
    const balcony = await bench.session(juliet, 'balcony', '<presence/>');
    romeo.taken();
    const request = "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>";
    const to = `<message id='m1' type='chat' to='${juliet.key}'>${request}${rules('notify deliver direct')}</message>`;
    await bench.does(romeo, to);
    await until(() => balcony.sent.some(({ kind }) => kind === 'message'));
    expect(balcony.taken().join()).to.include('urn:xmpp:receipts').and.to.include('urn:xmpp:chat-markers:0');
    await bench.does(balcony, `<message to='${romeo.jid}'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`);
    expect(romeo.taken().filter((text) => text.includes(' id="m1"><amp'))).to.have.length(1);
  });

  it('a report finds a sender whose session has just ended (D-23)', async () => {
    const { romeo, juliet } = await couple();
    const other = await bench.session(romeo.account, 'other', '<presence/>');
    await bench.session(juliet, 'balcony', '<presence/>');
    other.taken();
    const late = `<message from='localhost' to='${romeo.jid}' id='m1'><amp xmlns='${ampNs}' status='alert'/></message>`;
    bench.ends(romeo);
    await bench.arrives(late);
    await until(() => other.sent.some(({ kind }) => kind === 'message'));
    expect(other.taken().filter((text) => text.includes('status='))).to.have.length(1);
    await bench.arrives(late.replace("id='m1'", "id='m1' type='error'"));
    await until(async () => (await bench.storage.offline.count(romeo.account.key)).messages === 1);
  });

  it('a report of another server does, too, but nothing that only looks like one (D-23)', async () => {
    const { romeo } = await couple();
    const fired = '<rule action="alert" condition="expire-at" value="2001-01-01T00:00:00Z"/>';
    const told = `<amp xmlns="${ampNs}" status="alert" from="${romeo.jid}" to="x@y">${fired}</amp>`;
    const report = (from: string, to = romeo.jid.toString()) =>
      `<message from="${from}" to="${to}" id="m1">${told}</message>`;
    await bench.comes(report('montague.example'));
    expect(romeo.taken(), 'who is there has it as it came').to.deep.equal([report('montague.example')]);
    bench.ends(romeo);
    const kept = async () => (await bench.storage.offline.count(romeo.account.key)).messages;
    await bench.comes(report('montague.example'));
    await until(async () => (await kept()) === 1);
    const [stored] = await bench.storage.offline.list(romeo.account.key, 0, 10);
    expect(stored?.bytes.toString()).to.include(report('montague.example', romeo.account.key));
    expect(departed).to.deep.equal([]);
    for (const from of ['mercutio@montague.example', 'montague.example/x']) {
      await bench.comes(report(from));
      await bench.comes(report('montague.example', 'nobody@localhost/x'));
    }
    expect(departed).to.have.length(4);
    expect(await kept()).to.equal(1);
  });

  /** A report in the outbox, whose entries are not read before `release`. */
  async function waitingReport(romeo: StubSession, juliet: Account): Promise<{ release(): void }> {
    const reading = Promise.withResolvers<void>();
    held.set('outbox.list', reading.promise);
    await send(romeo, juliet.key, 'notify deliver stored');
    await until(async () => (await entries()) === 1);
    return { release: () => reading.resolve() };
  }

  const entries = async () => (await bench.storage.outbox.list(0, 10)).length;

  it('a report is stored for a sender who disconnected before it was routed (D-23)', async () => {
    const { romeo, juliet } = await couple();
    const report = await waitingReport(romeo, juliet);
    bench.ends(romeo);
    report.release();
    await until(async () => (await bench.storage.offline.count(romeo.account.key)).messages === 1);
    expect(await entries()).to.equal(0);
    const [stored] = await bench.storage.offline.list(romeo.account.key, 0, 10);
    expect(stored?.bytes.toString()).to.include(` to="${romeo.account.key}" `);
  });

  it('a report goes to the resource of a sender who reconnected before it was routed (D-23)', async () => {
    const { romeo, juliet } = await couple();
    const report = await waitingReport(romeo, juliet);
    bench.ends(romeo);
    const back = await bench.session(romeo.account, 'home', '<presence/>');
    report.release();
    await until(() => back.sent.some(({ kind }) => kind === 'message'));
    expect(back.sent.map(({ to }) => String(to))).to.deep.equal([String(romeo.jid)]);
  });

  it('a report is not removed before it is stored, whatever its route (D-23)', async () => {
    const { romeo, juliet } = await couple();
    const report = await waitingReport(romeo, juliet);
    romeo.broken = true;
    const storing = Promise.withResolvers<void>();
    held.set('append', storing.promise);
    report.release();
    await until(() => appends === 2);
    expect(await entries()).to.equal(1);
    storing.resolve();
    await until(async () => (await entries()) === 0);
    expect((await bench.storage.offline.count(romeo.account.key)).messages).to.equal(1);
  });

  it('a report is not removed before it is durable for its receiver', async () => {
    const { romeo, juliet } = await couple();
    const report = await waitingReport(romeo, juliet);
    const writing = Promise.withResolvers<void>();
    romeo.durable = writing.promise;
    report.release();
    expect(await got(romeo, 1)).to.deep.equal(['notify deliver stored']);
    expect(await entries()).to.equal(1);
    writing.resolve();
    await until(async () => (await entries()) === 0);
  });

  it('a report that a full disk refuses is sent after a restart', async () => {
    const { romeo, juliet } = await couple();
    const report = await waitingReport(romeo, juliet);
    bench.ends(romeo);
    faults.set('append', 'full');
    report.release();
    await extension.closing?.();
    await until(() => appends === 2);
    expect(await entries()).to.equal(1);
    faults.clear();
    bench.rebuild();
    extension.opened?.();
    await until(async () => (await entries()) === 0);
    expect((await bench.storage.offline.count(romeo.account.key)).messages).to.equal(1);
  });

  it('the acknowledgment of a stopped message waits for its report (XEP-0198 §4)', async () => {
    const { romeo, juliet } = await couple();
    romeo.needsAck = true;
    await send(romeo, juliet.key, 'alert deliver stored');
    expect([brief(romeo), romeo.awaited.length]).to.deep.equal([['alert deliver stored'], 1]);
    await send(romeo, juliet.key, 'explode deliver stored');
    expect([brief(romeo), romeo.awaited.length]).to.deep.equal([['bad-request'], 2]);
  });

  it('a report on the disk is sent after a restart, and only once (D-35)', async () => {
    const { romeo, juliet } = await couple();
    faults.set('outbox.list', 'busy');
    await send(romeo, juliet.key, 'notify deliver stored');
    await until(async () => (await bench.storage.outbox.list(0, 10)).length === 1);
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
    expect(brief(romeo)).to.deep.equal([]);
    bench.rebuild();
    faults.clear();
    const again = await bench.session(romeo.account, 'home', '<presence/>');
    extension.opened?.();
    expect(await got(again, 1)).to.deep.equal(['notify deliver stored']);
    await until(async () => (await bench.storage.outbox.list(0, 10)).length === 0);
    bench.rebuild();
    extension.opened?.();
    await extension.closing?.();
    expect(brief(again)).to.deep.equal([]);
  });

  it('a report that cannot be removed is sent twice rather than not at all', async () => {
    const { romeo, juliet } = await couple();
    faults.set('outbox.remove', 'busy');
    await send(romeo, juliet.key, 'notify deliver stored');
    expect(await got(romeo, 1)).to.deep.equal(['notify deliver stored']);
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
    bench.rebuild();
    const again = await bench.session(romeo.account, 'home', '<presence/>');
    extension.opened?.();
    expect(await got(again, 1)).to.deep.equal(['notify deliver stored']);
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
  });

  it('a report to an account that does not exist is removed', async () => {
    const { romeo, juliet } = await couple();
    await send(romeo, juliet.key, `alert expire-at ${new Date(bench.clock.nowMs() + 1000).toISOString()}`);
    await until(() => juliet.stored.unarchived.messages === 1 && bench.clock.pendingCount > 0);
    bench.ends(romeo);
    await bench.storage.accounts.remove(romeo.account.key);
    bench.routing.accounts.forget(romeo.account.key);
    bench.clock.advance(1000);
    await until(() => fired(extension, 'alert expire-at') === 1);
    await until(async () => (await bench.storage.outbox.list(0, 10)).length === 0);
    expect(juliet.stored.unarchived.messages).to.equal(0);
  });

  it('a message from another server expires under the address written there (N-38, D-20)', async () => {
    const { juliet } = await couple();
    const from = 'benvolio@montague.example/x';
    const item = juliet.roster.getOrBlank('benvolio@montague.example');
    await bench.routing.rosters.save(juliet, { ...item, subscription: 'from', inRoster: true });
    const at = new Date(bench.clock.nowMs() + 1000).toISOString();
    const ends = ` from='${from}' to='alias@localhost'`;
    const asked = rules(`alert expire-at ${at}`).replace("/amp'>", `/amp'${ends}>`);
    await bench.comes(`<message from='${from}' to='${juliet.key}' id='m1'><body>x</body>${asked}</message>`);
    await until(() => juliet.stored.unarchived.messages === 1 && bench.clock.pendingCount > 0);
    bench.clock.advance(1000);
    await until(() => departed.length > 0);
    expect(departed).to.deep.equal([
      `<message from="localhost" to="${from}" id="m1"><amp xmlns="${ampNs}" status="alert" from="${from}" to="alias@localhost">` +
        `<rule action="alert" condition="expire-at" value="${at}"/></amp></message>`,
    ]);
  });

  it('a message that expires while storage is busy is settled later', async () => {
    const { romeo, juliet } = await couple();
    await send(romeo, juliet.key, `alert expire-at ${new Date(bench.clock.nowMs() + 1000).toISOString()}`);
    await until(() => juliet.stored.unarchived.messages === 1 && bench.clock.pendingCount > 0);
    faults.set('settle', 'busy');
    bench.clock.advance(1000);
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
    faults.clear();
    await until(() => bench.clock.pendingCount > 0);
    bench.clock.advance(10_000);
    const [report = ''] = await got(romeo, 1);
    expect(report).to.match(/^alert expire-at /);
  });

  it('a damaged message loses its rules, and the server continues', async () => {
    const { juliet } = await couple();
    const kept = { rules: '[]', dueAtMs: bench.clock.nowMs() };
    const bytes = Buffer.from('<message><body>half');
    const damaged = { from: 'x.example', receivedAtMs: 0, bytes, kept };
    await bench.storage.offline.append(juliet.key, damaged, { maxMessages: 10, maxBytes: 1000 });
    await extension.settleDue?.(juliet.key);
    expect(bench.log.alarms.splice(0)).to.have.length(1);
    await extension.settleDue?.(juliet.key);
    const [left] = await bench.storage.offline.list(juliet.key, 0, 10);
    expect(left?.dueAtMs).to.equal(undefined);
  });

  describe('the reply limit', () => {
    before(() => {
      replies = { perSecond: 1, burst: 2 };
    });
    after(() => {
      replies = { perSecond: 1000, burst: 1000 };
    });

    it('drops replies beyond the limit (D-32)', async () => {
      const { romeo, juliet } = await couple();
      for (let n = 0; n < 4; n++) await send(romeo, juliet.key, 'alert deliver stored');
      await send(romeo, juliet.key, 'explode deliver stored');
      expect(brief(romeo)).to.deep.equal(['alert deliver stored', 'alert deliver stored']);
      const other = await bench.session(romeo.account, 'other', '<presence/>');
      await send(other, juliet.key, 'alert deliver stored');
      expect(brief(other), 'of one account in all').to.deep.equal([]);
      bench.clock.advance(1000);
      await send(romeo, juliet.key, 'alert deliver stored');
      expect(brief(romeo)).to.deep.equal(['alert deliver stored']);
      expect(extension.status?.().figures).to.deep.equal({
        fired: { 'alert deliver stored': 6 },
        refused: 1,
        repliesHeldBack: 4,
      });
    });
  });

  it('a message that waited over a restart is judged, even if it had expired when its copy was written (D-40)', async () => {
    const { romeo, juliet } = await couple();
    const balcony = await bench.session(juliet, 'balcony', '<presence/>');
    const nowMs = bench.clock.nowMs();
    const recalled = (ageMs: number) => {
      const rule = rules(`drop expire-at ${new Date(nowMs - ageMs).toISOString()}`);
      const message = readStanza(`<message from='${romeo.jid}' to='${juliet.key}' id='m1'>${rule}</message>`);
      return bench.routing.router.recall(message, balcony, nowMs)?.mayLeave(new PendingWork());
    };
    expect(recalled(-1)).to.equal(true);
    expect(recalled(1)).to.equal(false);
  });

  it('is offered to authenticated clients and to other servers (D-46, D-49)', () => {
    const { streamFeatures } = extension;
    const offered = (['unauthenticated', 'authenticated', 'server'] as const).map((stage) => streamFeatures?.(stage));
    expect(offered.map((elements) => elements?.map(String))).to.deep.equal([
      [],
      ['<amp xmlns="http://jabber.org/features/amp"/>'],
      ['<amp xmlns="http://jabber.org/features/amp"/>'],
    ]);
  });

  it('every rule that fires is counted and logged (N-22)', async () => {
    const { romeo, juliet } = await couple();
    await send(romeo, juliet.key, 'notify deliver stored', 'drop expire-at 2999-01-01T00:00:00Z');
    await got(romeo, 1);
    await send(romeo, juliet.key, 'alert expire-at 2001-01-01T00:00:00Z');
    await send(romeo, juliet.key, 'explode expire-at 2001-01-01T00:00:00Z');
    await send(romeo, juliet.key, 'drop deliver direct');
    const fired = { 'alert expire-at': 1, 'notify deliver stored': 1 };
    expect(extension.status?.().figures).to.deep.equal({ fired, refused: 1, repliesHeldBack: 0 });
    const lines = bench.log.lines.filter((line) => line.includes('AMP rule fired') && line.includes(romeo.account.key));
    expect(lines.map((line) => /"rule":"([^"]*)","outcome":"([^"]*)"/.exec(line)?.slice(1))).to.deep.equal([
      ['notify deliver stored', 'stored'],
      ['alert expire-at 2001-01-01T00:00:00Z', 'stopped'],
    ]);
  });
});
