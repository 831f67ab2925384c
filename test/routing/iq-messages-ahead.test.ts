import { expect } from 'chai';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { IqHandler, IqRequest } from '../../src/routing/extension.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { serviceOf } from '../support/service-of.ts';
import type { StubSession } from '../support/stub-session.ts';
import { brief, briefly, RoutingBench, type RoutingBenchOptions } from './routing-bench.ts';

const get = (id = '1') => `<iq id='${id}' type='get'><x xmlns='urn:x'/></iq>`;
const pages = function* (names: readonly string[]) {
  for (const name of names) yield readStanza(`<message><${name} xmlns="urn:x"/></message>`);
};

/** A bench with a handler that sends three messages before its result; `seen` lists what judges and recorders saw. */
function benchOf(options: RoutingBenchOptions = {}, handle: IqHandler['handle'] = answer) {
  const seen: string[] = [];
  const iq: IqHandler = { name: 'x', ns: 'urn:x', type: 'get', scopes: ['self', 'server'], handle };
  const judge = () => void seen.push('judged');
  const record = () => void seen.push('recorded');
  return { bench: new RoutingBench({ ...options, extensions: [{ iq: [iq], judge, record }] }), seen };
}

async function answer({ sendAhead }: IqRequest) {
  await Promise.resolve();
  await sendAhead(pages(['a', 'b']));
  await sendAhead(pages(['c']));
  return xml('end', { xmlns: 'urn:x' });
}

/** A session whose client takes a message at a time: each wait ends when `take` is called. */
function slow(session: StubSession): { readonly take: () => void } {
  const waits: (() => void)[] = [];
  session.crowded = true;
  session.flushed = () => new Promise((resolve) => waits.push(resolve));
  return { take: () => waits.shift()?.() };
}

describe('Messages before the result of an iq', () => {
  it('come to our client from the address that was asked, in order, unseen by judges and recorders', async () => {
    const { bench, seen } = benchOf();
    const juliet = await bench.online('juliet@a.example/balcony');
    await bench.says(juliet, get());
    expect(juliet.taken()).to.deep.equal([
      ...['a', 'b', 'c'].map(
        (name) => `<message from="juliet@a.example" to="juliet@a.example/balcony"><${name} xmlns="urn:x"/></message>`,
      ),
      '<iq from="juliet@a.example" to="juliet@a.example/balcony" id="1" type="result"><end xmlns="urn:x"/></iq>',
    ]);
    expect(seen).to.deep.equal([]);
  });

  it('come to another server in order before the result', async () => {
    const sent: Stanza[] = [];
    const { bench, seen } = benchOf({ remotes: { send: (stanza) => void sent.push(stanza) } });
    await bench.routing.route(readStanza(get().replace('<iq', "<iq from='romeo@far.example/x' to='a.example'")));
    expect(sent.map((one) => `${brief(one)} to ${one.to}`)).to.deep.equal([
      'message a.example a to romeo@far.example/x',
      'message a.example b to romeo@far.example/x',
      'message a.example c to romeo@far.example/x',
      'iq result a.example end to romeo@far.example/x',
    ]);
    expect(seen).to.deep.equal([]);
  });

  it('come to a service in order before the result', async () => {
    const sent: string[] = [];
    const { bench } = benchOf({ services: [serviceOf('echo.example', false, (one) => void sent.push(brief(one)))] });
    await bench.routing.route(readStanza(get().replace('<iq', "<iq from='echo.example' to='a.example'")));
    expect(sent).to.deep.equal([
      'message a.example a',
      'message a.example b',
      'message a.example c',
      'iq result a.example end',
    ]);
  });

  it('go nowhere if the client has left', async () => {
    const { bench } = benchOf();
    const juliet = await bench.online('juliet@a.example/balcony');
    const asked = bench.says(juliet, get());
    bench.ends(juliet);
    await asked;
    expect(juliet.taken()).to.deep.equal([]);
    expect(bench.log.alarms).to.deep.equal([]);
  });

  it('are an error for a requester that cannot be reached, and nothing more', async () => {
    const { bench } = benchOf();
    await bench.routing.route(readStanza(get().replace('<iq', "<iq from='romeo@far.example/x' to='a.example'")));
    expect(bench.log.alarms).to.deep.equal([]);
  });

  describe('for a client that takes them slowly', () => {
    it('leave at its pace, also if it is not available, while its next stanzas are handled', async () => {
      const { bench } = benchOf();
      const juliet = await bench.connect('juliet@a.example/balcony');
      const { take } = slow(juliet);
      await bench.says(juliet, get());
      expect(briefly(juliet)).to.deep.equal(['message juliet@a.example a']);
      await bench.says(juliet, "<iq id='2' type='get'><unknown xmlns='urn:x'/></iq>");
      expect(briefly(juliet)).to.deep.equal(['iq error juliet@a.example service-unavailable']);
      for (const expected of [
        'message juliet@a.example b',
        'message juliet@a.example c',
        'iq result juliet@a.example end',
      ]) {
        take();
        await bench.settled();
        expect(briefly(juliet)).to.deep.equal([expected]);
      }
    });

    it('end with one error if the handler fails while they wait', async () => {
      const { bench } = benchOf({}, async ({ sendAhead }) => {
        await sendAhead(pages(['a']));
        throw StanzaError.forbidden();
      });
      const juliet = await bench.online('juliet@a.example/balcony');
      const { take } = slow(juliet);
      await bench.says(juliet, get());
      take();
      await bench.settled();
      expect(briefly(juliet)).to.deep.equal(['message juliet@a.example a', 'iq error juliet@a.example forbidden']);
      expect(bench.log.alarms).to.deep.equal([]);
    });

    it('wait for a few requests of the client at a time', async () => {
      const { bench } = benchOf();
      const juliet = await bench.online('juliet@a.example/balcony');
      const { take } = slow(juliet);
      for (let id = 0; id < 8; id++) await bench.says(juliet, get(String(id)));
      expect(briefly(juliet)).to.deep.equal(Array(8).fill('message juliet@a.example a'));
      await bench.says(juliet, get());
      expect(briefly(juliet)).to.deep.equal(['iq error juliet@a.example resource-constraint']);
      for (let waits = 0; waits < 8 * 3; waits++) {
        take();
        await bench.settled();
      }
      juliet.taken();
      await bench.says(juliet, get());
      expect(briefly(juliet)).to.deep.equal(['message juliet@a.example a']);
    });
  });
});
