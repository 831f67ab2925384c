import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { IqHandler, IqRequest, IqScope } from '../../src/routing/extension.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { serviceOf } from '../support/service-of.ts';
import { item } from './memory-stores.ts';
import { brief, briefly, RoutingBench } from './routing-bench.ts';

const x = "<x xmlns='urn:x'/>";
const get = (to: string, child = x) => `<iq id='1' type='get'${to && ` to='${to}'`}>${child}</iq>`;
const set = (to: string, child = x) => `<iq id='1' type='set'${to && ` to='${to}'`}>${child}</iq>`;

/** Answers with its own name and scope. */
function handler(name: string, type: 'get' | 'set', scope: IqScope, requests: IqRequest[]): IqHandler {
  return {
    name,
    ns: 'urn:x',
    type,
    scopes: [scope],
    handle: (request) => {
      requests.push(request);
      return xml(`${type}-at-${scope}`, { xmlns: 'urn:x' });
    },
  };
}

describe('The iq path', () => {
  let requests: IqRequest[];
  let bench: RoutingBench;

  beforeEach(() => {
    requests = [];
    const scopes: readonly IqScope[] = ['server', 'self', 'other'];
    const iq = scopes.flatMap((scope) => [handler('x', 'get', scope, requests), handler('x', 'set', scope, requests)]);
    bench = new RoutingBench({ extensions: [{ iq: [...iq, handler('only-self', 'get', 'self', requests)] }] });
  });

  const cases: readonly [title: string, stanza: string, from: string, what: string, account: string | undefined][] = [
    ['the domain', get('a.example'), 'a.example', 'get-at-server', undefined],
    ['another domain of ours', set('b.example'), 'b.example', 'set-at-server', undefined],
    [
      "the own account, without 'to' (RFC 6120 §10.3.3)",
      get(''),
      'juliet@a.example',
      'get-at-self',
      'juliet@a.example',
    ],
    ['the own account by its address', set('juliet@a.example'), 'juliet@a.example', 'set-at-self', 'juliet@a.example'],
    ['another account', get('romeo@a.example'), 'romeo@a.example', 'get-at-other', 'romeo@a.example'],
    ['no account', get('nobody@a.example'), 'nobody@a.example', 'get-at-other', undefined],
  ];
  for (const [title, stanza, from, what, account] of cases) {
    it(`leads to ${title}`, async () => {
      await bench.account('romeo@a.example');
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.says(juliet, stanza);
      expect(juliet.taken()).to.deep.equal([
        `<iq from="${from}" to="juliet@a.example/balcony" id="1" type="result"><${what} xmlns="urn:x"/></iq>`,
      ]);
      expect(requests[0]?.account?.key).to.equal(account);
      expect(requests[0]?.session).to.equal(juliet);
      expect(requests[0]?.from.toString()).to.equal('juliet@a.example/balcony');
      expect(requests[0]?.to.toString()).to.equal(from);
    });
  }

  it('without a handler ends with an error (RFC 6120 §8.4)', async () => {
    const juliet = await bench.online('juliet@a.example/balcony');
    const onlySelf = "<only-self xmlns='urn:x'/>";
    for (const stanza of [
      get('a.example', "<y xmlns='urn:x'/>"),
      get('a.example', "<x xmlns='urn:y'/>"),
      get('a.example', '<x/>'),
      get('a.example', onlySelf),
      get('nobody@a.example', onlySelf),
      set('', onlySelf),
    ]) {
      await bench.says(juliet, stanza);
      expect(briefly(juliet).join(), stanza).to.match(/^iq error \S+ service-unavailable$/);
    }
    await bench.says(juliet, get('', onlySelf));
    expect(briefly(juliet)).to.deep.equal(['iq result juliet@a.example get-at-self']);
  });

  it('cannot be confused by names with spaces in a namespace', async () => {
    const juliet = await bench.online('juliet@a.example/balcony');
    await bench.says(juliet, get('a.example', "<get xmlns='x urn:x'/>"));
    expect(briefly(juliet)).to.deep.equal(['iq error a.example service-unavailable']);
  });

  describe('to a full JID', () => {
    it('leads to that session alone, whatever its priority (RFC 6121 §8.5.3.1)', async () => {
      const juliet = await bench.online('juliet@a.example/balcony');
      const [orchard, home] = [
        await bench.connect('romeo@a.example/orchard', item('juliet@a.example', { subscription: 'from' })),
        await bench.online('romeo@a.example/home'),
      ];
      juliet.taken();
      for (const stanza of [
        get('romeo@a.example/orchard'),
        set('romeo@a.example/orchard'),
        "<iq id='1' type='result' to='romeo@a.example/orchard'/>",
      ]) {
        await bench.says(juliet, stanza);
      }
      expect(orchard.sent.map(({ type }) => type)).to.deep.equal(['get', 'set', 'result']);
      expect(home.taken()).to.deep.equal([]);
      expect(requests).to.deep.equal([]);
    });

    it('reaches a session that does not show itself only from services (RFC 6121 §8.5.3.1)', async () => {
      const echo = serviceOf('echo.example', false, () => {});
      bench = new RoutingBench({ services: [echo] });
      const juliet = await bench.online('juliet@a.example/balcony');
      const romeo = await bench.online('romeo@a.example/orchard');
      const replies: string[] = [];
      for (const resource of ['orchard', 'garden']) {
        await bench.says(juliet, get(`romeo@a.example/${resource}`));
        replies.push(juliet.taken().join().replaceAll(resource, 'X'));
      }
      expect(replies[0]).to.contain('service-unavailable').and.to.equal(replies[1]);
      expect(romeo.taken()).to.deep.equal([]);
      await bench.routing.route(
        readStanza(`<iq id='1' type='get' from='x@echo.example' to='romeo@a.example/orchard'/>`),
      );
      expect(briefly(romeo)).to.deep.equal(['iq get x@echo.example']);
    });

    describe('of a resource that has written to the requester', () => {
      const firsts: Record<string, [stanza: string, answered: boolean]> = {
        'a message': ["<message to='juliet@a.example' type='chat'><body>x</body></message>", true],
        'a message to another resource': ["<message to='juliet@a.example/chamber'><body>x</body></message>", true],
        'a request': ["<iq to='juliet@a.example/balcony' id='2' type='get'><x xmlns='urn:x'/></iq>", true],
        'directed presence': ["<presence to='juliet@a.example/balcony'/>", true],
        'an error': ["<message to='juliet@a.example/balcony' type='error'/>", false],
        'a result': ["<iq to='juliet@a.example/balcony' id='2' type='result'/>", false],
        'a message to somebody else': ["<message to='nurse@a.example'><body>x</body></message>", false],
      };
      for (const [what, [stanza, answered]] of Object.entries(firsts)) {
        it(`${answered ? 'is delivered after' : 'is refused in spite of'} ${what}`, async () => {
          const juliet = await bench.online('juliet@a.example/balcony');
          const orchard = await bench.online('romeo@a.example/orchard');
          const garden = await bench.online('romeo@a.example/garden');
          await bench.says(orchard, stanza);
          for (const session of [juliet, orchard, garden]) session.taken();
          const replies: string[] = [];
          for (const resource of ['orchard', 'garden', 'nowhere']) {
            await bench.says(juliet, get(`romeo@a.example/${resource}`));
            replies.push(juliet.taken().join().replaceAll(resource, 'X'));
          }
          expect(briefly(orchard)).to.deep.equal(answered ? ['iq get juliet@a.example/balcony x'] : []);
          expect(briefly(garden)).to.deep.equal([]);
          const refusal = replies[2];
          expect(refusal).to.contain('service-unavailable');
          expect(replies).to.deep.equal([answered ? '' : refusal, refusal, refusal]);
        });
      }

      it('is refused again after directed unavailable presence, and in the next session', async () => {
        const juliet = await bench.online('juliet@a.example/balcony');
        let romeo = await bench.online('romeo@a.example/orchard');
        const asks = async () => {
          await bench.says(juliet, get('romeo@a.example/orchard'));
          return [...briefly(juliet), ...briefly(romeo)];
        };
        const refused = ['iq error romeo@a.example/orchard service-unavailable'];
        for (const end of [
          () => bench.says(romeo, "<presence type='unavailable' to='juliet@a.example'/>"),
          async () => {
            bench.ends(romeo);
            romeo = await bench.online('romeo@a.example/orchard');
          },
        ]) {
          await bench.says(romeo, "<message to='juliet@a.example/balcony'/>");
          briefly(juliet);
          expect(await asks()).to.deep.equal(['iq get juliet@a.example/balcony x']);
          await end();
          briefly(juliet);
          expect(await asks()).to.deep.equal(refused);
        }
      });
    });

    it('ends with the same error whether or not the account exists (RFC 6121 §8.5.3.2.3)', async () => {
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.online('romeo@a.example/home');
      const replies: string[][] = [];
      for (const name of ['romeo', 'nobody']) {
        await bench.says(juliet, get(`${name}@a.example/orchard`));
        replies.push(juliet.taken().map((text) => text.replaceAll(name, 'X')));
      }
      expect(replies[0]?.join()).to.contain('service-unavailable');
      expect(replies[0]).to.deep.equal(replies[1]);
    });
  });

  it('answers a refused requester as if the account did not exist (XEP-0191 §3.3)', async () => {
    const scopes: readonly IqScope[] = ['other'];
    const iq = scopes.map((scope): IqHandler => handler('x', 'get', scope, requests));
    bench = new RoutingBench({
      extensions: [{ iq, filter: { inbound: (_, { key }) => (key === 'romeo@a.example' ? 'refuse' : undefined) } }],
    });
    const romeo = await bench.online('romeo@a.example/orchard');
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const resource of ['', '/orchard', '/elsewhere']) {
      for (const child of [x, "<y xmlns='urn:x'/>"]) {
        const replies: string[][] = [];
        for (const name of ['romeo', 'nobody']) {
          await bench.says(juliet, get(`${name}@a.example${resource}`, child));
          replies.push(juliet.taken().map((text) => text.replaceAll(name, 'X')));
        }
        expect(replies[0]).to.have.length(1);
        expect(replies[0]).to.deep.equal(replies[1]);
      }
    }
    await bench.says(juliet, "<iq id='1' type='result' to='romeo@a.example/orchard'/>");
    expect(romeo.taken()).to.deep.equal([]);
    expect(requests.map(({ account }) => account)).to.deep.equal([undefined, undefined]);
  });

  it('is not taken for a request if it is an answer', async () => {
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const to of ['a.example', 'nobody@a.example', 'juliet@a.example', 'nobody@a.example/x']) {
      for (const type of ['result', 'error'])
        await bench.says(juliet, `<iq id='1' type='${type}' to='${to}'>${x}</iq>`);
    }
    expect(requests).to.deep.equal([]);
    expect(juliet.taken()).to.deep.equal([]);
  });

  it('answers with an error a handler throws, now or later', async () => {
    const fail: readonly IqHandler['handle'][] = [
      () => {
        throw StanzaError.forbidden();
      },
      () => Promise.reject(StanzaError.forbidden()),
    ];
    for (const handle of fail) {
      bench = new RoutingBench({
        extensions: [{ iq: [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['server'], handle }] }],
      });
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.says(juliet, get('a.example'));
      expect(briefly(juliet)).to.deep.equal(['iq error a.example forbidden']);
      expect(bench.log.alarms).to.deep.equal([]);
    }
  });

  it('calls the functions of afterwards when the answer was sent', async () => {
    for (const wait of [undefined, Promise.resolve(undefined)]) {
      const seen: string[][] = [];
      const handle: IqHandler['handle'] = ({ afterwards, session }) => {
        afterwards(() => seen.push(session?.jid === juliet.jid ? briefly(juliet) : []));
        return wait;
      };
      bench = new RoutingBench({
        extensions: [{ iq: [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['self'], handle }] }],
      });
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.says(juliet, get(''));
      expect(seen).to.deep.equal([['iq result juliet@a.example']]);
    }
  });

  it('does nothing afterwards if the handler failed', async () => {
    let done = false;
    const handle: IqHandler['handle'] = ({ afterwards }) => {
      afterwards(() => {
        done = true;
      });
      throw StanzaError.forbidden();
    };
    bench = new RoutingBench({
      extensions: [{ iq: [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['self'], handle }] }],
    });
    const juliet = await bench.online('juliet@a.example/balcony');
    await bench.says(juliet, get(''));
    expect(done).to.equal(false);
  });

  it('matches answers to requests of the server, to its domain or the account, only from the address that was asked', async () => {
    for (const to of ['a.example', '']) {
      const juliet = await bench.online('juliet@a.example/balcony');
      const chamber = await bench.online('juliet@a.example/chamber');
      let outcome = '';
      let id: string | undefined;
      const asked = bench.routing.requests
        .ask(juliet.account.jid, juliet.jid, xml('ping', { xmlns: 'urn:xmpp:ping' }), 1000, (request) => {
          id = request.id;
        })
        .then((answer) => {
          outcome = answer?.type ?? 'timeout';
        });
      await bench.says(chamber, `<iq type='result' id='${id}'${to && ` to='${to}'`}/>`);
      await bench.settled();
      expect(outcome).to.equal('');
      await bench.says(juliet, `<iq type='result' id='${id}'${to && ` to='${to}'`}/>`);
      await asked;
      expect(outcome).to.equal('result');
      bench.ends(juliet);
      bench.ends(chamber);
    }
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it('gives an answer to the requester, including the server when it has asked in the name of a component', async () => {
    const sent: string[] = [];
    const echo = serviceOf('echo.example', false, (stanza) => void sent.push(brief(stanza)));
    const one = new RoutingBench({ services: [echo] });
    const asks: Stanza[] = [];
    const [from, to] = [Jid.parse('echo.example'), Jid.parse('far.example')];
    const asked = one.routing.requests.ask(
      from,
      to,
      xml('x', { xmlns: 'urn:x' }),
      1000,
      (request) => void asks.push(request),
    );
    const [request] = asks;
    const result = (id: string) => readStanza(`<iq id='${id}' type='result' from='far.example' to='echo.example'/>`);
    await one.routing.route(result('its own'));
    await one.routing.route(result(request?.id ?? ''));
    expect((await asked)?.type).to.equal('result');
    expect(sent).to.deep.equal(['iq result far.example']);
  });
});
