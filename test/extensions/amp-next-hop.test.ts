import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import type { AmpOptions } from '../../src/extensions/amp/settings.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { Handoff, NextHop, Outbound } from '../../src/routing/outbound.ts';
import { serviceOf } from '../support/service-of.ts';
import type { StubSession } from '../support/stub-session.ts';
import { ampOn } from './amp-on.ts';
import { Bench } from './bench.ts';

const ampNs = 'http://jabber.org/protocol/amp';
const to = 'juliet@capulet.example';

function rules(words: readonly string[], perHop = ''): string {
  const written = words.map((text) => {
    const [action, condition, value] = text.split(' ');
    return `<rule action="${action}" condition="${condition}" value="${value}"/>`;
  });
  return `<amp xmlns="${ampNs}"${perHop}>${written.join('')}</amp>`;
}

/** Another server, which connects when the test says so, and then accepts the messages that may leave. */
class OtherServer implements Outbound, NextHop {
  readonly domain = 'capulet.example';
  readonly taken: Stanza[] = [];
  readonly #waiting: (readonly [Stanza, Handoff])[] = [];
  readonly #left: Handoff[] = [];
  streamFeature = false;
  disco: Promise<ReadonlySet<string>> = Promise.resolve(new Set());

  send(stanza: Stanza, handoff: Handoff): void {
    this.#waiting.push([stanza, handoff]);
  }

  offers(name: string, namespace: string): boolean {
    return this.streamFeature && name === 'amp' && namespace === 'http://jabber.org/features/amp';
  }

  features(): Promise<ReadonlySet<string>> {
    return this.disco;
  }

  async comes(): Promise<void> {
    for (const [stanza, handoff] of this.#waiting.splice(0)) await this.#take(stanza, handoff);
  }

  async #take(stanza: Stanza, handoff: Handoff): Promise<void> {
    try {
      const leaving = handoff.leaving ? await handoff.leaving(this) : stanza;
      if (!leaving) return;
      this.taken.push(leaving);
      handoff.left?.();
      this.#left.push(handoff);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      await handoff.failed(error);
    }
  }

  /** Asks whether messages may leave, and accepts none. */
  async hesitates(times: number): Promise<(Stanza | undefined)[]> {
    const answers: (Stanza | undefined)[] = [];
    for (const [, { leaving }] of this.#waiting)
      for (let time = 0; time < times; time++) answers.push(await leaving?.(this));
    return answers;
  }

  /** The accepted messages are not confirmed, and cannot be sent again. */
  async getsLost(): Promise<void> {
    for (const { failed } of this.#left.splice(0)) await failed(StanzaError.remoteServerTimeout());
  }

  async staysAway(): Promise<void> {
    for (const [, { failed }] of this.#waiting.splice(0)) await failed(StanzaError.remoteServerTimeout());
  }
}

describe('the next server of a message with rules (XEP-0079 §2.2.4)', () => {
  let other: OtherServer;
  let policies: AmpOptions['policies'] = [];
  const answered: string[] = [];
  const bot = serviceOf('bot.localhost', false, (stanza) => void answered.push(stanza.toString()));
  let remoteUnsupported: { policy: 'bounce' | 'strip' | 'forward'; domains: Record<string, 'bounce' | 'strip'> };
  const bench = new Bench((core) => {
    const { amp: configured } = configSchema({ directory: '/', environment: {} }).parse({});
    const extension = ampOn(core, { ...configured, remoteUnsupported, policies });
    const remotes: Outbound = { send: (...given) => other.send(...given) };
    return { extensions: [extension], remotes, services: [bot] };
  });
  let romeo: StubSession;

  before(() => {
    remoteUnsupported = { policy: 'bounce', domains: {} };
  });

  beforeEach(async () => {
    other = new OtherServer();
    romeo = await bench.user('romeo');
  });

  function sends(words: readonly string[], { perHop = '', body = 'x' } = {}): Promise<void> {
    return bench.does(
      romeo,
      `<message id='m1' type='chat' to='${to}'><body>${body}</body>${rules(words, perHop)}</message>`,
    );
  }

  const signed = (words: readonly string[], perHop = '') =>
    `<message from="${romeo.jid}" to="${to}" id="m1" type="chat"><body>x</body>` +
    `${rules(words, `${perHop} from="${romeo.jid}" to="${to}"`)}</message>`;
  const thin = (words: readonly string[]) =>
    `<message from="localhost" to="${romeo.jid}" id="m1" type="error">${rules(words)}` +
    '<error type="cancel" code="503"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>';
  const told = (words: string, by = 'localhost') =>
    `<message from="${by}" to="${romeo.jid}" id="m1"><amp xmlns="${ampNs}" status="${words.split(' ')[0]}"` +
    ` from="${romeo.jid}" to="${to}">${/<rule.*\/>/.exec(rules([words]))?.[0]}</amp></message>`;
  const takenTexts = () => other.taken.map(String);

  it('gets the signed message if its stream features list AMP (D-46)', async () => {
    other.streamFeature = true;
    await sends(['alert deliver stored']);
    await other.comes();
    expect(takenTexts()).to.deep.equal([signed(['alert deliver stored'])]);
    expect(romeo.taken()).to.deep.equal([]);
  });

  it('gets the message if its disco#info lists AMP (N-20, D-46)', async () => {
    other.disco = Promise.resolve(new Set([ampNs]));
    await sends(['alert deliver stored']);
    await other.comes();
    expect(takenTexts()).to.deep.equal([signed(['alert deliver stored'])]);
  });

  for (const [name, disco] of [
    ['says it does not know AMP', () => Promise.resolve(new Set(['urn:xmpp:ping']))],
    ['does not say anything', () => Promise.reject(StanzaError.remoteServerTimeout())],
  ] as const) {
    it(`gets nothing if it ${name}, and the sender gets the error of XEP-0079 §6.2.4 (N-21)`, async () => {
      other.disco = disco();
      await sends(['alert deliver stored', 'notify deliver direct']);
      await other.comes();
      expect(takenTexts()).to.deep.equal([]);
      expect(romeo.taken()).to.deep.equal([thin(['alert deliver stored', 'notify deliver direct'])]);
    });
  }

  it('gets nothing if rules that are met come first (plan table row 30)', async () => {
    await sends(['notify deliver none']);
    await other.comes();
    expect(romeo.taken()).to.deep.equal([told('notify deliver none'), thin(['notify deliver none'])]);
    await sends(['alert deliver none']);
    await sends(['drop deliver none']);
    await other.comes();
    expect(romeo.taken()).to.deep.equal([told('alert deliver none')]);
  });

  it('gets messages without rules, with or without AMP', async () => {
    await bench.does(romeo, `<message to='${to}'><body>x</body></message>`);
    await other.comes();
    expect(takenTexts()).to.deep.equal([`<message from="${romeo.jid}" to="${to}"><body>x</body></message>`]);
  });

  describe('without AMP, by the operator’s choice', () => {
    afterEach(() => {
      remoteUnsupported = { policy: 'bounce', domains: {} };
    });

    it('gets the message without the rules', async () => {
      remoteUnsupported = { policy: 'bounce', domains: { 'capulet.example': 'strip' } };
      bench.rebuild();
      romeo = await bench.user('romeo');
      await sends(['alert deliver stored']);
      await other.comes();
      expect(takenTexts()).to.deep.equal([
        `<message from="${romeo.jid}" to="${to}" id="m1" type="chat"><body>x</body></message>`,
      ]);
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('gets the message with the rules', async () => {
      remoteUnsupported = { policy: 'forward', domains: {} };
      bench.rebuild();
      romeo = await bench.user('romeo');
      await sends(['alert deliver stored']);
      await other.comes();
      expect(takenTexts()).to.deep.equal([signed(['alert deliver stored'])]);
    });
  });

  it('makes no rule fire twice when it is lost with a message (XEP-0079 §2.2.3)', async () => {
    other.streamFeature = true;
    const overdue = 'notify expire-at 2020-01-01T00:00:00Z';
    await sends([overdue]);
    await other.comes();
    expect(romeo.taken()).to.deep.equal([told(overdue)]);
    await other.getsLost();
    const [error, ...more] = romeo.taken();
    expect(error).to.contain('<remote-server-timeout');
    expect(more).to.deep.equal([]);
  });

  it('does not get a stopped message, however often it asks', async () => {
    other.streamFeature = true;
    await sends(['error expire-at 2026-01-01T00:00:10Z']);
    bench.clock.advance(60_000);
    expect(await other.hesitates(2)).to.deep.equal([undefined, undefined]);
    expect(romeo.taken()).to.have.length(1);
  });

  it('decides the outcome alone; this server knows only of failures (plan table row 28)', async () => {
    other.streamFeature = true;
    const everything = ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => `alert deliver ${value}`);
    await sends([
      ...everything,
      'alert match-resource any',
      'alert match-resource exact',
      'alert match-resource other',
    ]);
    await other.comes();
    expect(romeo.taken()).to.deep.equal([]);
    expect(other.taken).to.have.length(1);
    await sends(everything);
    await other.staysAway();
    expect(romeo.taken()).to.deep.equal([told('alert deliver none')]);
  });

  it('is a direct delivery for per-hop rules (N-10, plan table row 29)', async () => {
    other.streamFeature = true;
    const perHop = ' per-hop="true"';
    await sends(['notify deliver direct'], { perHop });
    expect(romeo.taken()).to.deep.equal([]);
    await other.comes();
    expect(romeo.taken()).to.deep.equal([told('notify deliver direct')]);
    expect(takenTexts()).to.deep.equal([signed(['notify deliver direct'], perHop)]);
    await sends(['drop deliver direct'], { perHop });
    await other.comes();
    expect(other.taken).to.have.length(1);
  });

  describe('with policies of the operator', () => {
    before(() => {
      policies = [
        { name: 'none abroad', match: {}, rules: [{ action: 'drop', condition: 'deliver', value: 'direct' }] },
      ];
    });
    after(() => {
      policies = [];
    });

    it('is not asked for AMP support for a message without rules of its own (row 30)', async () => {
      await bench.does(romeo, `<message id='m1' to='${to}'><body>x</body></message>`);
      await other.comes();
      expect(takenTexts()).to.deep.equal([`<message from="${romeo.jid}" to="${to}" id="m1"><body>x</body></message>`]);
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('gets only the sender’s rules', async () => {
      other.streamFeature = true;
      const perHop = ' per-hop="true"';
      await sends(['notify deliver direct'], { perHop });
      await other.comes();
      expect(takenTexts()).to.deep.equal([signed(['notify deliver direct'], perHop)]);
      expect(romeo.taken()).to.deep.equal([told('notify deliver direct')]);
    });
  });

  it('is reported by this server if a component sent the message, because this is its edge (N-9)', async () => {
    const words = ['notify deliver none', 'drop match-resource other'];
    const from = 'echo@bot.localhost/x';
    const message = (what: readonly string[]) =>
      bench.comes(`<message from="${from}" to="${to}" id="m1"><body>x</body>${rules(what)}</message>`);
    await message(['drop expire-at 2001-01-01T00:00:00Z']);
    await message(words);
    await other.staysAway();
    await message(['whisper deliver direct']);
    const report = told('notify deliver none', bot.domain).replaceAll(String(romeo.jid), from);
    expect(answered.splice(0)).to.deep.equal([
      report,
      `<message from="${to}" to="${from}" id="m1" type="error"><error type="wait"><remote-server-timeout xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
      `<message from="${bot.domain}" to="${from}" id="m1" type="error">${rules(['whisper deliver direct'])}` +
        '<error type="modify" code="400"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>' +
        `<unsupported-actions xmlns="${ampNs}"><rule action="whisper" condition="deliver" value="direct"/></unsupported-actions></error></message>`,
    ]);
    await other.comes();
    expect(takenTexts()).to.deep.equal([]);
  });

  it('does not get a message that expired while it waited, and each receiver gets one report (D-6, D-12)', async () => {
    other.streamFeature = true;
    const at = new Date(bench.clock.nowMs() + 1000).toISOString();
    await sends([`alert expire-at ${at}`]);
    await sends([`drop expire-at ${at}`]);
    await sends([`notify expire-at ${at}`]);
    bench.clock.advance(1000);
    await other.comes();
    expect(takenTexts()).to.deep.equal([signed([`notify expire-at ${at}`])]);
    expect(romeo.taken()).to.deep.equal([told(`alert expire-at ${at}`), told(`notify expire-at ${at}`)]);
    await sends([`notify expire-at ${new Date(bench.clock.nowMs() + 1000).toISOString()}`, 'notify deliver none']);
    bench.clock.advance(1000);
    other.streamFeature = false;
    await other.comes();
    const statuses = romeo.taken().map((text) => /condition="([\w-]+)"|<(service-unavailable)/.exec(text)?.slice(1));
    expect(statuses.map((found) => found?.[0])).to.deep.equal(['expire-at', 'deliver', 'expire-at']);
  });

  it('gets forwarded messages of foreign senders in the name of the account, without loops (N-25, XEP-0033 §4)', async () => {
    const nurse = await bench.account('nurse');
    nurse.forwardTo = Jid.parse('nurse@capulet.example');
    await bench.comes(`<message from='peter@capulet.example/x' to='${nurse.key}' type='chat'><body>x</body></message>`);
    await other.comes();
    const author =
      '<addresses xmlns="http://jabber.org/protocol/address"><address type="ofrom" jid="peter@capulet.example/x"/></addresses>';
    const trail = `<by xmlns="urn:ampere:forward" jid="${nurse.key}"/>`;
    expect(takenTexts()).to.deep.equal([
      `<message from="${nurse.key}" to="nurse@capulet.example" type="chat"><body>x</body>${trail}${author}</message>`,
    ]);
    other.taken.splice(0);
    const kitchen = await bench.session(nurse, 'kitchen', '<presence/>');
    await bench.comes(
      `<message from='nurse@capulet.example' to='${nurse.key}' type='chat'><body>x</body>${trail}</message>`,
    );
    await other.comes();
    expect(takenTexts()).to.deep.equal([]);
    expect(kitchen.taken()).to.deep.equal([
      `<message from="nurse@capulet.example" to="${nurse.key}" type="chat"><body>x</body></message>`,
    ]);
  });
});
