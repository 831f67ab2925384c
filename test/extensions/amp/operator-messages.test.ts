import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { RuleWords, SendReport, SendRequest } from '../../../src/extensions/amp/operator/message-operations.ts';
import { OperatorMessages } from '../../../src/extensions/amp/operator/operator-messages.ts';
import type { Jid } from '../../../src/protocol/jid.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import { Mailboxes } from '../../../src/routing/mailboxes.ts';
import { readStanza } from '../../protocol/read-stanza.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const amp = 'http://jabber.org/protocol/amp';
const words = (text: string): RuleWords => {
  const [action = '', condition = '', value = ''] = text.split(' ');
  return { action, condition, value };
};

/** Messages that go nowhere; the test is the other end. */
class Scene {
  readonly clock = new ManualClock(Date.UTC(2026, 2, 1, 12));
  readonly stop = new AbortController();
  readonly mailboxes = new Mailboxes();
  readonly sent: Stanza[] = [];
  /** Whether each answer was taken for one. */
  readonly taken: boolean[] = [];
  readonly explained: [Stanza, Jid, Jid, number][] = [];
  readonly messages = new OperatorMessages({
    domains: ['capulet.example', 'montague.example'],
    components: ['sms.example'],
    hasAccount: (jid) => Promise.resolve(jid.toString() === 'romeo@montague.example'),
    clock: this.clock,
    mailboxes: this.mailboxes,
    route: (message) => void this.sent.push(message),
    explain: (...asked) => {
      this.explained.push(asked);
      return { plan: { deliver: 'none', destinations: [] }, rulesets: [], decision: 'keep', reports: [] };
    },
  });

  send(more: Partial<SendRequest> = {}): Promise<SendReport> {
    return this.messages.send(
      { to: 'juliet@capulet.example', body: 'hello', waitMs: 30_000, ...more },
      this.stop.signal,
    );
  }

  get message(): Stanza {
    return this.sent[0] ?? expect.fail('nothing was sent');
  }

  /** The rules of the message that was sent, three words each. */
  get rules(): string[] {
    const attributes = [...this.message.toString().matchAll(/<rule action="(.*?)" condition="(.*?)" value="(.*?)"/g)];
    return attributes.map(([, ...parts]) => parts.join(' '));
  }

  answer(content: string, attributes = '', id = this.message.id, by = 'capulet.example'): void {
    const { from } = this.message;
    const stanza = readStanza(`<message from='${by}' to='${from}' id='${id}'${attributes}>${content}</message>`);
    this.taken.push(this.mailboxes.take(stanza, from ?? expect.fail()));
  }

  report(status: string, rule: string): void {
    const { action, condition, value } = words(rule);
    const fired = `<rule action='${action}' condition='${condition}' value='${value}'/>`;
    this.answer(`<amp xmlns='${amp}' status='${status}'>${fired}</amp>`);
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return expect.fail('nothing was rejected');
}

describe('messages of the operator: sending', () => {
  it('sends as the first domain, under an address of its own, and asks to be told everything', async () => {
    const scene = new Scene();
    const done = scene.send({ subject: 'news' });
    const { message } = scene;
    expect(message.from?.domain).to.equal('capulet.example');
    expect(message.from?.resource).to.have.lengthOf.above(15);
    expect(message).to.include({ type: 'chat' });
    expect(message.to?.toString()).to.equal('juliet@capulet.example');
    expect(message.toString()).to.contain('<subject>news</subject><body>hello</body><amp');
    expect(scene.rules).to.deep.equal(
      ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => `notify deliver ${value}`),
    );
    scene.report('notify', 'notify deliver direct');
    expect(await done).to.deep.equal({
      outcome: 'delivered',
      id: message.id,
      from: message.from?.toString(),
      to: 'juliet@capulet.example',
      rule: words('notify deliver direct'),
    });
    expect(scene.mailboxes.has(message.from ?? expect.fail())).to.equal(false);
    expect(scene.clock.pendingCount).to.equal(0);
  });

  it('puts what was asked for first, and does not drop in silence', () => {
    const scene = new Scene();
    const rules = [words('error deliver direct'), words('drop deliver stored')];
    void scene.send({ rules, expireInMs: 600_000, waitMs: 0 });
    expect(scene.rules.slice(0, 3)).to.deep.equal([
      'error deliver direct',
      'alert deliver stored',
      'alert expire-at 2026-03-01T12:10:00Z',
    ]);
  });

  const outcomes = [
    ['notify', 'notify deliver stored', 'stored'],
    ['notify', 'notify deliver forward', 'forwarded'],
    ['notify', 'notify deliver gateway', 'gateway'],
    ['alert', 'alert deliver stored', 'refused'],
    ['alert', 'alert expire-at 2026-03-01T12:00:00Z', 'expired'],
  ] as const;
  for (const [status, rule, outcome] of outcomes) {
    it(`reports ${outcome} when it is told "${rule}"`, async () => {
      const scene = new Scene();
      const done = scene.send();
      scene.report(status, rule);
      expect(await done).to.include({ outcome });
    });
  }

  it('reports an error with its condition', async () => {
    const scene = new Scene();
    const done = scene.send();
    const condition = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    scene.answer(`<error type='cancel'>${condition}</error>`, " type='error'");
    expect(await done).to.include({ outcome: 'refused', error: 'item-not-found' });
  });

  it('waits for the error behind "none", where one comes', async () => {
    const headline = new Scene();
    const silent = headline.send({ type: 'headline' });
    headline.report('notify', 'notify deliver none');
    expect(await silent).to.include({ outcome: 'refused' });
    const scene = new Scene();
    const done = scene.send();
    scene.report('notify', 'notify deliver none');
    const condition = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    scene.answer(`<error type='cancel'>${condition}</error>`, " type='error'");
    expect(await done).to.include({ outcome: 'refused', error: 'service-unavailable' });
  });

  it('believes reports of servers only', async () => {
    const scene = new Scene();
    const done = scene.send();
    const claim = `<amp xmlns='${amp}' status='notify'><rule action='notify' condition='deliver' value='direct'/></amp>`;
    scene.answer(claim, '', scene.message.id, 'juliet@capulet.example/balcony');
    scene.answer(`${claim}<error type='cancel'/>`, " type='error'", scene.message.id, 'juliet@capulet.example');
    expect(await done).to.include({ outcome: 'refused' });
  });

  it('waits on for what is stored, if it may expire before the wait is over', async () => {
    const scene = new Scene();
    const done = scene.send({ expireInMs: 10_000 });
    scene.report('notify', 'notify deliver stored');
    scene.clock.advance(10_000);
    scene.report('alert', 'alert expire-at 2026-03-01T12:00:10Z');
    expect(await done).to.include({ outcome: 'expired' });
    const other = new Scene();
    const stays = other.send({ expireInMs: 10_000 });
    other.report('notify', 'notify deliver stored');
    other.clock.advance(30_000);
    expect(await stays).to.include({ outcome: 'stored' });
  });

  it('ignores what is not about its message, and gives up in time', async () => {
    const scene = new Scene();
    const done = scene.send();
    scene.answer('<body>Who is there?</body>');
    scene.answer("<error type='cancel'/>", " type='error'", 'another');
    expect(scene.taken, 'they go on to whom they are for').to.deep.equal([false, false]);
    scene.clock.advance(29_999);
    scene.clock.advance(1);
    expect(await done).to.include({ outcome: 'unknown' });
  });

  it('waits no longer when the server ends', async () => {
    const scene = new Scene();
    const done = scene.send({ expireInMs: 10_000 });
    await Promise.resolve();
    scene.report('notify', 'notify deliver stored');
    scene.stop.abort();
    expect(await done).to.include({ outcome: 'stored' });
    expect(scene.clock.pendingCount).to.equal(0);
  });

  it('sends only what XML can carry', async () => {
    for (const more of [{ body: '\u0000' }, { subject: '\uffff' }, { rules: [words('drop deliver \u0001')] }]) {
      expect(await rejection(new Scene().send(more)), JSON.stringify(more)).to.include({ code: 'invalid' });
    }
  });

  for (const [from, sender] of [
    ['romeo@montague.example', /^romeo@montague\.example\/.{16,}$/],
    ['romeo@montague.example/orchard', /^romeo@montague\.example\/orchard$/],
    ['sms.example', /^sms\.example\/.{16,}$/],
    ['12345@sms.example', /^12345@sms\.example\/.{16,}$/],
  ] as const) {
    it(`sends as ${from}, and is told there`, async () => {
      const scene = new Scene();
      const done = scene.send({ from });
      await setImmediate();
      expect(scene.message.from?.toString()).to.match(sender);
      scene.report('notify', 'notify deliver direct');
      expect(scene.taken).to.deep.equal([true]);
      expect(await done).to.include({ outcome: 'delivered' });
    });
  }

  it('does not send as a user who is not there', async () => {
    const scene = new Scene();
    const error = await rejection(scene.send({ from: 'mercutio@montague.example/x' }));
    expect(error).to.include({ code: 'not-found', message: 'There is no account mercutio@montague.example.' });
    expect(scene.sent).to.deep.equal([]);
  });

  it('says who it can send as', async () => {
    const { message } = await rejection(new Scene().send({ from: 'romeo@elsewhere.example' }));
    expect(message).to.equal(
      'romeo@elsewhere.example is not served here; messages can come from capulet.example, montague.example, sms.example and addresses there.',
    );
  });

  it('sends as another domain or resource, but as nobody else, and not twice at once', async () => {
    const scene = new Scene();
    void scene.send({ from: 'montague.example/backup' });
    expect(scene.message.from?.toString()).to.equal('montague.example/backup');
    expect(await rejection(scene.send({ from: 'montague.example/backup' }))).to.include({ code: 'conflict' });
    for (const from of ['romeo@sub.montague.example', 'elsewhere.example', '@']) {
      expect(await rejection(scene.send({ from })), from).to.include({ code: 'invalid' });
    }
    expect(await rejection(scene.send({ to: '@' }))).to.include({ code: 'invalid' });
    expect(scene.sent).to.have.length(1);
  });
});

describe('messages of the operator: explaining', () => {
  it('makes a message of what it is told', async () => {
    const scene = new Scene();
    const rules = [words('drop deliver stored')];
    const request = { from: 'romeo@montague.example/orchard', to: 'juliet@capulet.example', type: 'normal', rules };
    const report = await scene.messages.explain(request);
    expect(report).to.include({ from: request.from, to: request.to, at: '2026-03-01T12:00:00Z', decision: 'keep' });
    const [message, sender, recipient, nowMs] = scene.explained[0] ?? expect.fail();
    expect([sender, recipient].map(String)).to.deep.equal([request.from, request.to]);
    expect(nowMs).to.equal(scene.clock.nowMs());
    expect(message.toString()).to.match(/type="normal".*<amp .*<rule action="drop" condition="deliver" value="stored"/);
    expect(message.id).to.be.a('string');
  });

  it('reads a message, whose addresses can be replaced, at another time', async () => {
    const scene = new Scene();
    const xml =
      '<message from="romeo@montague.example/orchard" to="juliet@capulet.example"><body>hello</body></message>';
    const atMs = Date.UTC(2027, 0, 1);
    const report = await scene.messages.explain({ xml, to: 'nurse@capulet.example', atMs });
    expect(report).to.include({
      from: 'romeo@montague.example/orchard',
      to: 'nurse@capulet.example',
      at: '2027-01-01T00:00:00Z',
    });
    expect(scene.sent).to.deep.equal([]);
  });

  for (const request of [
    { xml: '<message' },
    { xml: '<presence/>' },
    { xml: '<x/>' },
    { xml: '<message to="@"/>' },
    { to: 'juliet@capulet.example' },
    { from: 'a@b', to: 'c@d', rules: [words('drop deliver \u0001')] },
    { from: 'romeo@montague.example', to: 'a@b@c' },
  ]) {
    it(`refuses ${JSON.stringify(request)}`, async () => {
      expect(await rejection(new Scene().messages.explain(request))).to.include({ code: 'invalid' });
    });
  }
});
