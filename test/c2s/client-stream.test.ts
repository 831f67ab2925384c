import { expect } from 'chai';
import { bind } from '../../src/c2s/negotiation/bind.ts';
import { starttls } from '../../src/c2s/negotiation/starttls.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { xml } from '../../src/xml/element.ts';
import { turn } from '../streams/socket-pair.ts';
import { auth, SimpleAuth } from './simple-auth.ts';
import { type BenchOptions, header, StreamBench, type Visit } from './stream-bench.ts';

const start =
  '<?xml version=\'1.0\'?><stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" id="*"';
const head = `${start} from="a.example" version="1.0" xml:lang="en">`;
const headless = `${start} version="1.0" xml:lang="en">`;
const offerTls = '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
const offerAuth = '<auth xmlns="urn:simple-auth"/>';
const offerBind = '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>';
const features = (...offers: string[]) =>
  offers.length === 0
    ? '<stream:features xmlns:stream="http://etherx.jabber.org/streams"/>'
    : `<stream:features xmlns:stream="http://etherx.jabber.org/streams">${offers.join('')}</stream:features>`;
const success = '<success xmlns="urn:simple-auth"/>';
const bindRequest = (resource = 'x', attributes = '') =>
  `<iq id='b' type='set'${attributes}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;
const end = '</stream:stream>';

/** The condition of the stream error that ends what was heard, or what is wrong with it. */
function errorIn(heard: string): string {
  const found =
    /<stream:error[^>]*><([a-z-]+) xmlns="urn:ietf:params:xml:ns:xmpp-streams"\/?>.*<\/stream:error><\/stream:stream>$/s.exec(
      heard,
    );
  return found?.[1] ?? `no error in ${heard}`;
}

describe('The stream of a client', () => {
  let bench: StreamBench;
  let simple: SimpleAuth;
  let visit: Visit;

  function open(options: BenchOptions = {}): void {
    bench = new StreamBench({
      features: ({ sessions }) => {
        simple = new SimpleAuth(sessions);
        return [starttls({ required: false }), simple.feature, bind(sessions)];
      },
      ...options,
    });
    visit = bench.visit();
  }

  beforeEach(() => open());
  afterEach(async () => {
    for (const one of bench.visits) await one.leaves();
    expect(bench.directory.size).to.equal(0);
    expect(bench.log.alarms).to.deep.equal([]);
  });

  /** A bound stream. */
  async function bound(options?: BenchOptions): Promise<void> {
    open(options);
    await visit.says(`${header()}${auth('continue')}${bindRequest()}`);
    expect(bench.directory.size).to.equal(1);
  }

  it('goes from the header to the stanzas (RFC 6120 §4.2)', async () => {
    expect(await visit.says(header())).to.equal(head + features(offerTls, offerAuth));
    expect(await visit.says(auth('more'))).to.equal('<more xmlns="urn:simple-auth"/>');
    expect(await visit.says(auth('restart'))).to.equal(success);
    expect(await visit.says(header())).to.equal(head + features(offerBind));
    expect(await visit.says(bindRequest())).to.equal(
      '<iq id="b" type="result"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><jid>juliet@a.example/x</jid></bind></iq>',
    );
    expect(await visit.says("<message to='romeo@a.example'/>")).to.equal('');
    expect(bench.routed).to.deep.equal(['<message from="juliet@a.example/x" to="romeo@a.example"/>']);
    expect(await visit.says(end)).to.equal(end);
    expect(bench.ended).to.have.length(1);
  });

  it('goes on without a new header after SASL2, bound or not (XEP-0388 §2.6.1)', async () => {
    await visit.says(header());
    expect(await visit.says(auth('continue'))).to.equal(success + features(offerBind));
    open();
    await visit.says(header());
    expect(await visit.says(auth('bind'))).to.equal(success + features());
    await visit.says('<presence/>');
    expect(bench.routed).to.deep.equal(['<presence from="juliet@a.example/inline"/>']);
  });

  for (const [how, authenticates] of [
    ['by itself', auth('continue')],
    ['with SASL2', auth('bind')],
  ] as const) {
    it(`ends when the client binds ${how}, and the password was changed after it began to authenticate`, async () => {
      bench.changed.add('juliet@a.example');
      const heard = await visit.says(`${header()}${authenticates}${how === 'by itself' ? bindRequest() : ''}`);
      expect(errorIn(heard)).to.equal('reset');
      expect(bench.directory.size).to.equal(0);
    });
  }

  it('understands everything at once, and byte by byte', async () => {
    const all = `${header()}${auth('continue', true)}${bindRequest()}<message id='1'/><message id='2'/>${end}`;
    await visit.says(all);
    simple.goOn();
    const heard = await visit.hears();
    expect(bench.routed).to.have.length(2);
    open();
    for (const byte of Buffer.from(all)) visit.socket.push(Buffer.of(byte));
    const first = await visit.hears();
    simple.goOn();
    expect((first + (await visit.hears())).slice(-heard.length)).to.equal(heard);
    expect(bench.routed).to.have.length(2);
  });

  describe('ends with a stream error, always after a header (RFC 6120 §4.9.1.2)', () => {
    const first: readonly [condition: string, text: string, from?: string][] = [
      ['not-well-formed', '<stream:stream xmlns:stream="a" xmlns:stream="b">', headless],
      ['not-well-formed', 'GET / HTTP/1.1\r\n', headless],
      ['restricted-xml', "<!DOCTYPE x [<!ENTITY a 'b'>]>", headless],
      ['invalid-namespace', "<stream xmlns='jabber:client' to='a.example' version='1.0'>"],
      ['unsupported-version', header().replace(" version='1.0'", '')],
      ['host-unknown', header('elsewhere.example'), headless],
      ['host-unknown', header('juliet@a.example'), headless],
      ['improper-addressing', header().replace(" to='a.example'", ''), headless],
    ];
    for (const [condition, text, from = head] of first) {
      it(`${condition} for ${text}`, async () => {
        const heard = await visit.says(text);
        expect(errorIn(heard)).to.equal(condition);
        expect(heard.startsWith(from), heard).to.equal(true);
        expect(visit.socket.writableFinished).to.equal(true);
      });
    }

    const unbound: readonly [condition: string, text: string][] = [
      ['not-authorized', '<message/>'],
      ['not-authorized', "<iq type='get' id='1'><x xmlns='urn:x'/></iq>"],
      ['not-authorized', bindRequest()],
      ['unsupported-stanza-type', "<x xmlns='urn:x'/>"],
      ['not-authorized', auth('break')],
      ['invalid-from', bindRequest('x', " from='@'")],
      ['bad-format', 'text'],
      ['not-well-formed', '<message></presence>'],
      ['policy-violation', `<message><body>${'x'.repeat(5000)}</body></message>`],
    ];
    for (const [condition, text] of unbound) {
      it(`${condition} for ${text.slice(0, 60)} before authentication`, async () => {
        await visit.says(header());
        expect(errorIn(await visit.says(text))).to.equal(condition);
      });
    }

    const stanzas: readonly [condition: string, text: string][] = [
      ['invalid-from', "<message from='romeo@a.example'/>"],
      ['invalid-from', "<message from='@'/>"],
      ['unsupported-stanza-type', "<x xmlns='urn:x'/>"],
      ['unsupported-stanza-type', '<body/>'],
      ['unsupported-stanza-type', "<message xmlns='jabber:server'/>"],
      ['policy-violation', `<message id='${'i'.repeat(101)}'/>`],
      ['policy-violation', `<message xml:lang='${'é'.repeat(11)}'/>`],
      ['policy-violation', `<message><body>${'x'.repeat(10_000)}</body></message>`],
      ['not-well-formed', '<message id=1/>'],
    ];
    for (const [condition, text] of stanzas) {
      it(`${condition} for ${text.slice(0, 60)} in a bound stream`, async () => {
        await bound();
        await visit.hears();
        expect(errorIn(await visit.says(text))).to.equal(condition);
        expect(bench.ended).to.have.length(1);
        expect(bench.routed).to.deep.equal([]);
      });
    }
  });

  it('has a header of its own for an error after each new start (RFC 6120 §4.9.1.2)', async () => {
    await visit.says(header() + auth('restart'));
    expect(await visit.says('text')).to.contain(`${head}<stream:error`);
    open();
    await visit.says(`${header()}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
    visit.connection.finishHandshake();
    expect(await visit.says('text')).to.contain(`${head}<stream:error`);
  });

  it('takes larger stanzas once the client is known', async () => {
    await bound();
    await visit.hears();
    expect(
      await visit.says(
        `<message id='${'i'.repeat(100)}' xml:lang='${'é'.repeat(10)}'><body>${'x'.repeat(9000)}</body></message>`,
      ),
    ).to.equal('');
    expect(bench.routed).to.have.length(1);
  });

  it("answers a stanza whose 'to' is no address, and goes on (RFC 6120 §8.1.1.1)", async () => {
    await visit.says(header() + auth('continue'));
    const malformed = (id: string) =>
      new RegExp(`^<iq id="${id}" type="error"><error type="modify"><jid-malformed .*</iq>$`);
    expect(await visit.says(bindRequest('x', " to='@'"))).to.match(malformed('b'));
    await visit.says(bindRequest());
    expect(await visit.says("<iq id='1' type='get' to='@'><x xmlns='urn:x'/></iq>")).to.match(malformed('1'));
    expect(await visit.says("<iq id='1' type='result' to='@'/><message type='error' to='@'/>")).to.equal('');
    expect(await visit.says("<message id='2'/>")).to.equal('');
    expect(bench.routed).to.have.length(1);
  });

  it('ignores input after it has closed its side', async () => {
    await bound();
    await visit.hears();
    expect(await visit.says(`<message from='romeo@a.example'/><message id='late'/>`)).to.match(/invalid-from/);
    expect(await visit.says("<message id='later'/>")).to.equal('');
    visit.stream.close(StreamError.reset());
    visit.stream.close();
    expect(await visit.hears()).to.equal('');
    expect(bench.routed).to.deep.equal([]);
  });

  it('ends when the client reports an error of ours (RFC 6120 §4.9.1.1)', async () => {
    await visit.says(header());
    expect(await visit.says('<stream:error/>')).to.equal(end);
    await bound();
    await visit.hears();
    expect(await visit.says('<stream:error/>')).to.equal(end);
  });

  it('stays with the domain it was opened for (RFC 6120 §4.3.3)', async () => {
    await visit.says(header() + auth('restart'));
    expect(errorIn(await visit.says(header('b.example')))).to.equal('host-unknown');
  });

  it('closes after too many failures, and not before (RFC 6120 §6.4.5)', async () => {
    await visit.says(header());
    const failure = '<failure xmlns="urn:simple-auth"/>';
    expect(await visit.says(auth('fail'))).to.equal(failure);
    expect(await visit.says(auth('more') + auth('fail'))).to.equal(`<more xmlns="urn:simple-auth"/>${failure}`);
    expect(errorIn(await visit.says(auth('fail')))).to.equal('policy-violation');
  });

  describe('with STARTTLS (RFC 6120 §5)', () => {
    const ask = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

    it('restarts after the handshake', async () => {
      await visit.says(header());
      expect(await visit.says(ask)).to.equal('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
      visit.connection.finishHandshake();
      expect(await visit.says(header())).to.equal(head + features(offerTls, offerAuth));
    });

    for (const behind of [header(), ' <', '<', auth('continue')]) {
      it(`fails if plaintext follows the request: ${behind} (RFC 6120 §5.4.3.3)`, async () => {
        await visit.says(header());
        const heard = await visit.says(ask + behind);
        expect(heard).to.match(/^<stream:error/);
        expect(errorIn(heard)).to.equal('policy-violation');
      });
    }

    it('ignores white space after the request (RFC 6120 §5.3.3)', async () => {
      await visit.says(header());
      expect(await visit.says(`${ask}\n \t\r\n`)).to.equal('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
      visit.connection.finishHandshake();
      expect(await visit.says(header())).to.equal(head + features(offerTls, offerAuth));
    });

    it('fails, and ends the stream, if it is not offered (RFC 6120 §5.4.2.2)', async () => {
      await visit.says(header() + auth('continue'));
      const heard = await visit.says(ask);
      expect(heard).to.match(/^<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"\/>/);
      expect(errorIn(heard)).to.equal('policy-violation');
    });

    it('is the only offer if it is required, and nothing else is accepted', async () => {
      const required: BenchOptions = {
        features: ({ sessions }) => [starttls({ required: true }), new SimpleAuth(sessions).feature, bind(sessions)],
      };
      open(required);
      const offer = '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"><required/></starttls>';
      expect(await visit.says(header())).to.equal(head + features(offer));
      expect(errorIn(await visit.says(auth('continue')))).to.equal('not-authorized');
    });

    it('ends silently during a handshake', async () => {
      await visit.says(header() + ask);
      visit.stream.close(StreamError.systemShutdown());
      expect(visit.socket.destroyed).to.equal(true);
    });

    it('comes first with direct TLS (XEP-0368 §2)', async () => {
      visit = bench.visit('direct');
      visit.connection.finishHandshake();
      expect(await visit.says(header())).to.contain(head);
    });
  });

  describe('keeps the order (RFC 6120 §10.1)', () => {
    it('of stanzas of which one takes longer, and reads on when it is done', async () => {
      const waiting: (() => void)[] = [];
      await bound({ route: ({ id }) => (id === 'slow' ? new Promise((resolve) => waiting.push(resolve)) : undefined) });
      await visit.says("<message id='1'/><message id='slow'/><message id='3'/><mess");
      expect(bench.routed).to.have.length(2);
      expect(visit.socket.isPaused()).to.equal(true);
      await visit.says("age id='4'/>");
      expect(bench.routed).to.have.length(2);
      waiting[0]?.();
      await visit.hears();
      expect(bench.routed.map((text) => /id="(\w+)"/.exec(text)?.[1])).to.deep.equal(['1', 'slow', '3', '4']);
      expect(visit.socket.isPaused()).to.equal(false);
    });

    it('and sends nothing before the client knows that it is bound', async () => {
      let loaded = () => {};
      const account = (): Promise<ReturnType<StreamBench['account']>> =>
        new Promise((resolve) => {
          loaded = () => resolve(bench.account('juliet@a.example'));
        });
      for (const opening of [header() + auth('continue') + bindRequest(), header() + auth('bind')]) {
        open({ account });
        const add = bench.directory.add.bind(bench.directory);
        bench.directory.add = (session) => {
          add(session);
          session.send(Stanza.message({ id: 'early' }));
        };
        await visit.says(opening);
        loaded();
        const heard = await visit.hears();
        expect(heard).to.match(/(<\/iq>|<stream:features xmlns:stream="[^"]*"\/>)<message id="early"\/>$/);
        await visit.leaves();
      }
    });

    it('and binds no resource if the client has left meanwhile', async () => {
      for (const opening of [header() + auth('continue') + bindRequest(), header() + auth('bind')]) {
        for (const close of [() => visit.leaves(), () => visit.stream.close(StreamError.reset())]) {
          let loaded = () => {};
          open({
            account: () =>
              new Promise((resolve) => {
                loaded = () => resolve(bench.account('juliet@a.example'));
              }),
          });
          await visit.says(opening);
          await close();
          await visit.hears();
          loaded();
          expect(await visit.hears()).to.equal('');
          expect(bench.directory.size).to.equal(0);
          expect(bench.ended).to.have.length(1);
        }
      }
    });
  });

  it('closes with internal-server-error after an internal error, and logs it', async () => {
    const failures: readonly (() => Promise<void> | undefined)[] = [
      () => {
        throw new Error('a bug');
      },
      () => Promise.reject(new Error('a bug')),
    ];
    for (const route of failures) {
      await bound({ route });
      await visit.hears();
      expect(errorIn(await visit.says('<message/>'))).to.equal('internal-server-error');
      expect(bench.log.alarms.splice(0)).to.have.length(1);
    }
  });

  it('passes nonzas to their handlers', async () => {
    const seen: string[] = [];
    await bound({
      nonzas: [{ name: 'x', ns: 'urn:x', handle: ({ jid }, element) => void seen.push(`${jid} ${element}`) }],
    });
    await visit.says("<x xmlns='urn:x' a='1'/>");
    expect(seen).to.deep.equal(['juliet@a.example/x <x xmlns="urn:x" a="1"/>']);
  });

  describe('limits the time', () => {
    async function passes(ms: number): Promise<string> {
      bench.clock.advance(ms);
      visit.stream.tick(bench.clock.monotonicMs());
      return visit.hears();
    }

    it('to authenticate and bind', async () => {
      await visit.says(header());
      expect(await passes(30_000)).to.equal('');
      expect(errorIn(await passes(1))).to.equal('connection-timeout');
      open();
      await visit.says(header() + auth('continue'));
      expect(errorIn(await passes(30_001))).to.equal('connection-timeout');
      open();
      expect(errorIn(await passes(30_001))).to.equal('connection-timeout');
    });

    it('for the TLS handshake', async () => {
      await passes(10_000);
      await visit.says(`${header()}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
      await passes(5000);
      expect(visit.socket.destroyed).to.equal(false);
      await passes(1);
      expect(visit.socket.destroyed).to.equal(true);
    });

    it('to complete a stanza', async () => {
      await bound();
      await visit.says('<message>');
      await passes(9000);
      await visit.says('<body>');
      await passes(1000);
      expect(errorIn(await passes(1))).to.equal('policy-violation');
    });

    it('for each stanza separately', async () => {
      await bound();
      await visit.says('<message>');
      await passes(9000);
      await visit.says('</message><message>');
      expect(await passes(9000)).to.not.contain('error');
    });

    it('to read output', async () => {
      await bound();
      visit.socket.stalled = true;
      await visit.says("<iq id='1' type='get' to='@'><x xmlns='urn:x'/></iq>");
      await passes(10_000);
      expect(visit.socket.destroyed).to.equal(false);
      await passes(1);
      expect(visit.socket.destroyed).to.equal(true);
    });

    it('but not while the server is busy', async () => {
      let done = () => {};
      await bound({
        route: () =>
          new Promise((resolve) => {
            done = resolve;
          }),
      });
      await visit.says("<message id='slow'/><mess");
      expect(await passes(20_000)).to.equal('');
      done();
      await visit.hears();
      expect(await passes(10_000)).to.equal('');
      expect(errorIn(await passes(1))).to.equal('policy-violation');
    });

    it('to be silent: then it is pinged, and closed without an answer (XEP-0199 §4.1)', async () => {
      await bound();
      await visit.hears();
      expect(await passes(100_000)).to.equal('');
      expect(await passes(1)).to.equal(
        '<iq from="a.example" to="juliet@a.example/x" id="*" type="get"><ping xmlns="urn:xmpp:ping"/></iq>',
      );
      expect(await passes(20_000)).to.equal('');
      expect(errorIn(await passes(1))).to.equal('connection-timeout');
    });

    it('and pings past held stanzas', async () => {
      await bound();
      await visit.hears();
      for (const session of bench.directory.all()) session.hold();
      expect(await passes(100_001)).to.contain('urn:xmpp:ping');
      await visit.says(' ');
      expect(await passes(20_001)).to.equal('');
    });
  });

  describe('with stream management (XEP-0198)', () => {
    const space = "xmlns='urn:xmpp:sm:3'";
    const features = ({ sessions, management }: StreamBench) => {
      simple = new SimpleAuth(sessions);
      return [simple.feature, bind(sessions), management.feature()];
    };

    it('is out of order before authentication, which too much of it ends like failed logins (RFC 6120 §6.4.5)', async () => {
      open({ features });
      await visit.says(header());
      const [enable, failed] = [
        "<enable xmlns='urn:xmpp:sm:3'/>",
        '<failed xmlns="urn:xmpp:sm:3"><unexpected-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></failed>',
      ];
      expect(await visit.says(enable)).to.equal(failed);
      expect(await visit.says(auth('fail') + enable)).to.match(/<failure .*<failed .*<policy-violation /s);
    });

    /** A bound stream whose client can come back; answers with its token. */
    async function enabled(options: BenchOptions = {}): Promise<string> {
      await bound({ ...options, features });
      const heard = await visit.says(`<enable ${space} resume='true' max='60'/>`);
      return /<enabled xmlns="urn:xmpp:sm:3" [^>]*id="([^"]+)"/.exec(heard)?.[1] ?? `no token in ${heard}`;
    }

    async function passes(ms: number): Promise<string> {
      bench.clock.advance(ms);
      visit.stream.tick(bench.clock.monotonicMs());
      return visit.hears();
    }

    const sends = (id: string) => {
      for (const session of bench.directory.all()) session.send(Stanza.message({ id }));
    };

    /** A new visit of the same client. */
    async function comesBack(token: string, h: number): Promise<string> {
      visit = bench.visit();
      await visit.says(header() + auth('continue'));
      return visit.says(`<resume ${space} previd='${token}' h='${h}'/>`);
    }

    it('requests an acknowledgment; without an answer the connection is lost, but not the session', async () => {
      const token = await enabled();
      sends('1');
      expect(await visit.hears()).to.equal('<message id="1"/>');
      expect(await passes(5000)).to.equal('<r xmlns="urn:xmpp:sm:3"/>');
      expect(await passes(20_000)).to.equal('');
      expect(errorIn(await passes(1))).to.equal('connection-timeout');
      expect(bench.ended).to.deep.equal([]);
      const { socket } = visit;
      expect(await comesBack(token, 0)).to.match(/^<resumed [^>]*\/><message id="1"\/><r xmlns="urn:xmpp:sm:3"\/>$/);
      expect(socket.writableFinished).to.equal(true);
      await visit.says(end);
    });

    it('extends the time while the request is unsent, or the answer unread', async () => {
      let done = () => {};
      const limits = { connection: { outgoingBufferBytes: 1e6, writeStallMs: 100_000 } };
      await enabled({ limits, route: () => new Promise((resolve) => (done = resolve)) });
      visit.socket.stalled = true;
      sends('1');
      await visit.hears();
      await passes(5000);
      expect(await passes(50_000)).to.not.contain('error');
      visit.socket.takeAll();
      await visit.hears();
      await visit.says(`<a ${space} h='1'/><message id='slow'/>`);
      sends('2');
      await passes(5000);
      expect(await passes(50_000)).to.not.contain('error');
      done();
      await visit.hears();
      expect(await passes(20_000)).to.equal('');
      expect(errorIn(await passes(1))).to.equal('connection-timeout');
      bench.clock.advance(60_000);
    });

    it('acknowledges before a shutdown, when all stanzas are final', async () => {
      let done = () => {};
      await enabled({ route: () => new Promise((resolve) => (done = resolve)) });
      await visit.says("<message id='slow'/>");
      const finished = visit.stream.finish();
      expect(await visit.hears()).to.equal('');
      done();
      await finished;
      expect(await visit.hears()).to.equal('<a xmlns="urn:xmpp:sm:3" h="1"/>');
      visit.stream.close(StreamError.systemShutdown());
      expect(bench.ended).to.deep.equal([]);
      bench.clock.advance(60_000);
      expect(bench.ended).to.have.length(1);
    });

    it('continues on another stream, and the old one is closed (XEP-0198 §5)', async () => {
      const token = await enabled();
      const old = visit;
      expect(await comesBack(token, 0)).to.equal(`<resumed xmlns="urn:xmpp:sm:3" previd="${token}" h="0"/>`);
      expect(errorIn(await old.hears())).to.equal('conflict');
      expect(bench.ended).to.deep.equal([]);
      await visit.says("<message id='1'/>");
      expect(bench.routed).to.deep.equal(['<message from="juliet@a.example/x" id="1"/>']);
      visit.stream.close(StreamError.policyViolation());
      expect(bench.ended, 'that is no lost connection').to.have.length(1);
    });
  });

  it('passes on the unsent stanzas of its session when the connection is lost', async () => {
    await bound();
    const [session] = bench.directory.all();
    session?.hold();
    session?.send(Stanza.message({ id: 'm' }, xml('body', {}, 'hi')));
    await visit.leaves();
    await turn();
    expect(bench.ended).to.deep.equal([session]);
    expect(bench.undelivered.map(({ id }) => id)).to.deep.equal(['m']);
  });

  it('makes room for the session that replaces it, with the reason (RFC 6120 §7.7.2.2)', async () => {
    await bound();
    await visit.hears();
    const old = visit;
    visit = bench.visit();
    await visit.says(header() + auth('continue') + bindRequest());
    expect(errorIn(await old.hears())).to.equal('conflict');
    expect(bench.directory.size).to.equal(1);
  });

  it('refuses a binding with an error, and lets the client try again (RFC 6120 §7.7.2)', async () => {
    open({ policy: { conflict: 'refuse' } });
    const other = bench.visit();
    await other.says(header() + auth('continue') + bindRequest());
    await visit.says(header() + auth('continue'));
    expect(await visit.says(bindRequest())).to.match(/^<iq id="b" type="error">.*<conflict /);
    expect(await visit.says(bindRequest('y'))).to.contain('juliet@a.example/y');
  });
});
