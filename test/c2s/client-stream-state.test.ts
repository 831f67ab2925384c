import { expect } from 'chai';
import fc from 'fast-check';
import { isLegalStep, type StreamState } from '../../src/c2s/client-stream-state.ts';
import { bind } from '../../src/c2s/negotiation/bind.ts';
import { starttls } from '../../src/c2s/negotiation/starttls.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { xml } from '../../src/xml/element.ts';
import { turn } from '../streams/socket-pair.ts';
import { auth, SimpleAuth, type Word } from './simple-auth.ts';
import { header, StreamBench, type Visit } from './stream-bench.ts';

const names: readonly StreamState['name'][] = [
  'opening',
  'negotiating',
  'securing',
  'authenticating',
  'bound',
  'closing',
  'closed',
];

describe('The steps of a stream (RFC 6120 §4.3)', () => {
  const legal: Record<string, string> = {
    opening: 'negotiating securing closing closed',
    negotiating: 'securing authenticating bound closing closed',
    securing: 'opening closing closed',
    authenticating: 'opening negotiating bound closing closed',
    bound: 'closing closed',
    closing: 'closed',
    closed: '',
  };
  for (const from of names) {
    it(`from ${from}: ${legal[from] || 'none'}`, () => {
      expect(names.filter((to) => isLegalStep(from, to)).sort()).to.deep.equal(
        legal[from]?.split(' ').filter(Boolean).sort(),
      );
    });
  }
});

/** What can happen, under a name. */
type Event = readonly [name: string, happen: (world: World) => unknown];

class World {
  readonly bench: StreamBench;
  readonly visit: Visit;
  readonly rival: Visit;
  #auth: SimpleAuth | undefined;

  constructor(start: 'starttls' | 'direct') {
    this.bench = new StreamBench({
      limits: { authenticationFailures: 2 },
      features: (bench) => {
        this.#auth = new SimpleAuth(bench.sessions);
        return [starttls({ required: false }), this.#auth.feature, bind(bench.sessions)];
      },
      account: (jid) => {
        const account = this.bench.account(jid.toString());
        return this.slow ? this.#later().then(() => account) : account;
      },
      route: (stanza) => (stanza.id === 'wait' ? this.#later() : undefined),
    });
    this.visit = this.bench.visit(start);
    this.rival = this.bench.visit();
  }

  /** Whether accounts must be loaded. */
  slow = false;
  readonly #waiting: (() => void)[] = [];

  goOn(): void {
    this.#auth?.goOn();
    for (const go of this.#waiting.splice(0)) go();
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  feed(text: string): void {
    if (!this.visit.socket.destroyed) this.visit.socket.push(Buffer.from(text));
  }

  passes(ms: number): void {
    this.bench.clock.advance(ms);
    for (const { stream } of this.bench.visits) stream.tick(this.bench.clock.monotonicMs());
  }
}

const words: readonly Word[] = ['more', 'fail', 'restart', 'continue', 'bind', 'break'];
const texts: readonly string[] = [
  header(),
  header('b.example'),
  header('elsewhere.example'),
  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  "<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>",
  "<iq id='b' type='set' to='@'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
  '<message/>',
  "<message id='wait'/>",
  "<presence from='romeo@a.example'/>",
  '<unknown xmlns="urn:x"/>',
  '<stream:error/>',
  '<message>',
  '</stream:stream>',
  'text',
  ' ',
  '<!DOCTYPE x>',
  ...words.flatMap((word) => [auth(word), auth(word, true)]),
];

/** Everything that can happen to a stream. */
const events = new Map<string, Event[1]>([
  ...texts.map((text): Event => [text, (world) => world.feed(text)]),
  // Whole negotiations, so that walks get far.
  ...[
    `${header()}${auth('continue')}${texts[4]}`,
    `${header()}${auth('restart')}${header()}${texts[4]}`,
    `${header()}${auth('bind')}`,
  ].map((text): Event => [text, (world) => world.feed(text)]),
  ['go on', (world) => world.goOn()],
  [
    'accounts are slow',
    (world) => {
      world.slow = true;
    },
  ],
  ['handshake done', ({ visit }) => visit.connection.finishHandshake()],
  ['close', ({ visit }) => visit.stream.close()],
  ['close with an error', ({ visit }) => visit.stream.close(StreamError.reset())],
  ['abandon', ({ visit }) => visit.stream.abandon()],
  ['disconnect', ({ visit }) => visit.socket.destroy()],
  ['overflow', ({ visit }) => visit.connection.write('x'.repeat(1_000_001))],
  ['a second passes', (world) => world.passes(1000)],
  ['a minute passes', (world) => world.passes(60_000)],
  ['a rival binds', ({ rival }) => rival.socket.push(Buffer.from(`${header()}${auth('bind')}`))],
  [
    'a message comes',
    ({ bench: { directory } }) => {
      for (const session of directory.all()) session.send(Stanza.message({ type: 'chat' }, xml('body', {}, 'hi')));
    },
  ],
]);

describe('A walk through the states of a stream', () => {
  it('takes no illegal step, leaves nothing behind, and says nothing after goodbye', async () => {
    const walk = fc.array(fc.constantFrom(...events.keys()), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('starttls', 'direct'), walk, async (start, steps) => {
        const world = new World(start);
        for (const step of steps) {
          events.get(step)?.(world);
          await turn();
        }
        const { bench } = world;
        expect(bench.directory.size).to.be.at.most(2);
        world.goOn();
        await turn();
        for (const { socket } of bench.visits) socket.destroy();
        world.goOn();
        for (let turns = 0; turns < 3; turns++) await turn();
        expect(bench.log.alarms).to.deep.equal([]);
        expect(bench.directory.size).to.equal(0);
        expect(new Set(bench.ended).size).to.equal(bench.ended.length);
        const pings = bench.visits.flatMap(({ socket }) => socket.output.match(/urn:xmpp:ping/g) ?? []);
        expect(bench.clock.pendingCount).to.be.at.most(pings.length);
        bench.clock.advance(bench.deps.limits.idleCloseAfterMs);
        expect(bench.clock.pendingCount).to.equal(0);
        for (const { socket } of bench.visits)
          expect(socket.output).to.match(/^(<\?xml((?!<\/stream:stream>).)*(<\/stream:stream>)?)?$/s);
      }),
      { numRuns: 300 },
    );
  });
});
