import { expect } from 'chai';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { LocalService } from '../../src/routing/local-service.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { brief, briefly, RoutingBench } from './routing-bench.ts';

type Scope = 'service' | 'room' | 'occupant';

/** A service with rooms and occupants at `rooms.a.example`; it writes down what it is given. */
function rooms(given: string[], changes: Partial<LocalService<Scope>> = {}): LocalService<Scope> {
  return {
    domain: 'rooms.a.example',
    name: 'Rooms',
    scopeOf: ({ local, resource }) => (local === '' ? 'service' : resource === '' ? 'room' : 'occupant'),
    iq: [
      {
        name: 'x',
        ns: 'urn:x',
        type: 'get',
        scopes: ['service', 'room'],
        handle: ({ scope }) => xml(scope, { xmlns: 'urn:x' }),
      },
    ],
    disco: {
      scopes: ['service', 'room'],
      info: ({ scope }, node) =>
        node === undefined || node === 'known'
          ? { identities: [{ category: 'conference', type: 'text', name: scope }], features: ['urn:x'] }
          : undefined,
      items: ({ scope, to }, node) =>
        node === undefined && scope === 'service' ? { items: [{ jid: `hall@${to.domain}`, name: 'Hall' }] } : undefined,
    },
    message: (message) => void given.push(brief(message)),
    presence: (presence) => void given.push(brief(presence)),
    ...changes,
  };
}

const get = (to: string, child = "<x xmlns='urn:x'/>") => `<iq id='1' type='get' to='${to}'>${child}</iq>`;
const query = (what: string, node?: string) =>
  `<query xmlns='http://jabber.org/protocol/disco#${what}'${node === undefined ? '' : ` node='${node}'`}/>`;
const chat = "<message type='chat' id='m' to='hall@rooms.a.example'><body>hi</body></message>";

describe('A service in this process', () => {
  let given: string[];
  let bench: RoutingBench;
  let juliet: StubSession;

  async function enter(changes: Partial<LocalService<Scope>> = {}): Promise<void> {
    given = [];
    bench = new RoutingBench({ extensions: [{ services: [rooms(given, changes)] }] });
    juliet = await bench.online('juliet@a.example/balcony');
  }

  beforeEach(() => enter());

  async function asks(stanza: string): Promise<string[]> {
    await bench.says(juliet, stanza);
    await bench.settled();
    return juliet.taken();
  }

  async function asksBriefly(stanza: string): Promise<string[]> {
    await bench.says(juliet, stanza);
    await bench.settled();
    return briefly(juliet);
  }

  it('answers with the handlers of the scope of the address, from that address', async () => {
    expect(await asks(get('hall@rooms.a.example'))).to.deep.equal([
      '<iq from="hall@rooms.a.example" to="juliet@a.example/balcony" id="1" type="result"><room xmlns="urn:x"/></iq>',
    ]);
    expect(await asksBriefly(get('rooms.a.example'))).to.deep.equal(['iq result rooms.a.example service']);
    const occupant = 'hall@rooms.a.example/romeo';
    expect(await asksBriefly(get(occupant))).to.deep.equal([`iq error ${occupant} service-unavailable`]);
  });

  it('describes itself, and answers pings, in the scopes it says', async () => {
    expect(await asks(get('hall@rooms.a.example', query('info')))).to.deep.equal([
      '<iq from="hall@rooms.a.example" to="juliet@a.example/balcony" id="1" type="result">' +
        '<query xmlns="http://jabber.org/protocol/disco#info"><identity category="conference" type="text" name="room"/>' +
        '<feature var="http://jabber.org/protocol/disco#info"/><feature var="http://jabber.org/protocol/disco#items"/>' +
        '<feature var="urn:xmpp:ping"/><feature var="urn:x"/></query></iq>',
    ]);
    expect((await asks(get('rooms.a.example', query('items')))).join()).to.contain(
      '<query xmlns="http://jabber.org/protocol/disco#items"><item jid="hall@rooms.a.example" name="Hall"/></query>',
    );
    const ping = "<ping xmlns='urn:xmpp:ping'/>";
    expect(await asksBriefly(get('hall@rooms.a.example', ping))).to.deep.equal(['iq result hall@rooms.a.example']);
    for (const child of [ping, query('info'), query('items')])
      expect((await asksBriefly(get('hall@rooms.a.example/romeo', child))).join()).to.match(/error .*unavailable$/);
  });

  it('describes known nodes, and takes an empty node for none', async () => {
    const known = (await asks(get('rooms.a.example', query('info', 'known')))).join();
    expect(known).to.contain('node="known"').and.to.not.contain('urn:xmpp:ping');
    expect((await asks(get('rooms.a.example', query('info', '')))).join()).to.contain('node=""');
    for (const what of ['info', 'items']) {
      expect((await asksBriefly(get('rooms.a.example', query(what, 'other')))).join()).to.match(/item-not-found$/);
    }
  });

  it('has no items unless it says so', async () => {
    const disco = { scopes: ['service'], info: () => ({ identities: [], features: [] }) } as const;
    await enter({ disco });
    expect((await asks(get('rooms.a.example', query('items')))).join()).to.contain('disco#items"/></iq>');
    expect((await asksBriefly(get('rooms.a.example', query('items', 'x')))).join()).to.match(/item-not-found$/);
  });

  it('is given messages and presence', async () => {
    await bench.says(juliet, chat);
    await bench.says(juliet, "<presence to='hall@rooms.a.example/me'/>");
    expect(given).to.deep.equal(['message chat juliet@a.example/balcony body', 'presence juliet@a.example/balcony']);
    expect(juliet.taken()).to.deep.equal([]);
  });

  it('refuses messages if it takes none, and ignores presence', async () => {
    const { message: _, presence: __, ...deaf } = rooms([]);
    bench = new RoutingBench({ extensions: [{ services: [deaf] }] });
    juliet = await bench.online('juliet@a.example/balcony');
    expect(await asksBriefly(chat)).to.deep.equal(['message error hall@rooms.a.example service-unavailable']);
    expect(await asks("<presence to='hall@rooms.a.example/me'/>")).to.deep.equal([]);
  });

  for (const [title, fail] of [
    [
      'throws',
      () => {
        throw StanzaError.forbidden();
      },
    ],
    ['rejects with', () => Promise.reject(StanzaError.forbidden())],
  ] as const) {
    it(`answers every kind of stanza with the error that it ${title}`, async () => {
      const iq = [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['room'], handle: fail }] as const;
      await enter({ message: fail, presence: fail, iq });
      expect(await asksBriefly(chat)).to.deep.equal(['message error hall@rooms.a.example forbidden']);
      expect(await asksBriefly("<presence to='hall@rooms.a.example/me'/>")).to.deep.equal([
        'presence error hall@rooms.a.example/me forbidden',
      ]);
      expect(await asksBriefly(get('hall@rooms.a.example'))).to.deep.equal(['iq error hall@rooms.a.example forbidden']);
      expect(bench.log.alarms).to.deep.equal([]);
    });
  }

  it('answers a failure that it has not foreseen with internal-server-error, and the log says why', async () => {
    await enter({ message: () => Promise.reject(new Error('the disk')) });
    expect(await asksBriefly(chat)).to.deep.equal(['message error hall@rooms.a.example internal-server-error']);
    expect(bench.log.alarms.splice(0)).to.have.length(1);
  });

  it('is awaited by the acknowledgment of a message (XEP-0198 §4)', async () => {
    let commit: (() => void) | undefined;
    await enter({
      message: () =>
        new Promise<void>((resolve) => {
          commit = resolve;
        }),
    });
    juliet.needsAck = true;
    await bench.says(juliet, chat);
    let acknowledged = false;
    const all = Promise.all(juliet.awaited).then(() => {
      acknowledged = true;
    });
    await bench.settled();
    expect(acknowledged).to.equal(false);
    commit?.();
    await all;
  });

  it('can refuse a message before its rules are judged', async () => {
    const refuses = (_: unknown, { local }: { local: string }) =>
      local === 'juliet' ? StanzaError.forbidden() : undefined;
    given = [];
    const plans: string[] = [];
    const record = ({ plan }: { plan: { kind: string } }) => void plans.push(plan.kind);
    bench = new RoutingBench({ extensions: [{ services: [rooms(given, { refuses })], record }] });
    juliet = await bench.online('juliet@a.example/balcony');
    expect(await asksBriefly(chat)).to.deep.equal(['message error hall@rooms.a.example forbidden']);
    await bench.says(await bench.online('romeo@a.example/orchard'), chat);
    expect(given).to.deep.equal(['message chat romeo@a.example/orchard body']);
    // The error that answers the first message is planned as 'direct'.
    expect(plans).to.deep.equal(['none', 'direct', 'service']);
  });

  it('can take the iqs that no handler answers, and results', async () => {
    const otherIq: LocalService['otherIq'] = (iq, { scope }) => {
      given.push(`${brief(iq)} for ${scope}`);
      return scope === 'occupant';
    };
    await enter({ otherIq });
    expect(await asks(get('hall@rooms.a.example/romeo'))).to.deep.equal([]);
    expect(await asks("<iq type='result' id='r' to='hall@rooms.a.example'/>")).to.deep.equal([]);
    expect(await asksBriefly(get('rooms.a.example', "<y xmlns='urn:x'/>"))).to.deep.equal([
      'iq error rooms.a.example service-unavailable',
    ]);
    expect(given).to.deep.equal([
      'iq get juliet@a.example/balcony x for occupant',
      'iq result juliet@a.example/balcony for room',
      'iq get juliet@a.example/balcony y for service',
    ]);
  });

  it('answers other servers', async () => {
    const sent: string[] = [];
    bench = new RoutingBench({
      extensions: [{ services: [rooms([])] }],
      remotes: { send: (stanza) => void sent.push(`${brief(stanza)} to ${stanza.to}`) },
    });
    const stanza = get('hall@rooms.a.example').replace('<iq', "<iq from='romeo@far.example/x'");
    await bench.routing.router.fromPeer(readStanza(stanza), { needsAck: false, ackAfter: () => undefined });
    expect(sent).to.deep.equal(['iq result hall@rooms.a.example room to romeo@far.example/x']);
  });

  it('is found among the services of its domain, and is hosted here', () => {
    const { services, isHosted } = bench.routing;
    expect(services.itemsOf('a.example')).to.deep.equal([{ jid: 'rooms.a.example', name: 'Rooms' }]);
    expect(['a.example', 'rooms.a.example', 'far.example'].map(isHosted)).to.deep.equal([true, true, false]);
  });

  it('is refused at the start if its domain is taken, or if it answers a request twice', () => {
    const start = (...services: LocalService[]) => new RoutingBench({ extensions: [{ services }] });
    expect(() => start(rooms([]), rooms([]))).to.throw('two services have the domain rooms.a.example');
    expect(() => start(rooms([], { domain: 'b.example' }))).to.throw('b.example is a domain of accounts');
    const ping = { name: 'ping', ns: 'urn:xmpp:ping', type: 'get', scopes: ['room'], handle: () => undefined } as const;
    expect(() => start(rooms([], { iq: [ping] }))).to.throw('both answer an iq of type get with <ping');
  });
});
