import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { ns } from '../../src/protocol/namespaces.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { OutgoingRequests } from '../../src/routing/outgoing-requests.ts';
import { xml } from '../../src/xml/element.ts';
import { ManualClock } from '../support/manual-clock.ts';

const server = Jid.parse('a.example');
const juliet = Jid.parse('juliet@a.example/balcony');
const ping = xml('ping', { xmlns: ns.ping });

describe('Requests of the server itself (RFC 6120 §8.2.3)', () => {
  let clock: ManualClock;
  let requests: OutgoingRequests;
  let sent: Stanza[];
  let outcome: string | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    requests = new OutgoingRequests(clock);
    sent = [];
    outcome = undefined;
  });

  async function ask(): Promise<string> {
    void requests
      .ask(server, juliet, ping, 1000, (request) => sent.push(request))
      .then((answer) => {
        outcome = answer ? `${answer.type} ${answer.id}` : 'timeout';
      });
    return sent.at(-1)?.id ?? '';
  }

  async function answer(id: string | undefined, from: string, type = 'result'): Promise<string | undefined> {
    requests.settle(Stanza.iq({ type, id, from: Jid.parse(from), to: server }), Jid.parse(from));
    await Promise.resolve();
    await Promise.resolve();
    return outcome;
  }

  it('are sent to one client with an unpredictable id', async () => {
    const ids = [await ask(), await ask()];
    expect(sent[0]?.toString()).to.equal(
      `<iq from="a.example" to="juliet@a.example/balcony" id="${ids[0]}" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`,
    );
    expect(ids[0]).to.have.length.above(20);
    expect(ids[0]).to.not.equal(ids[1]);
  });

  it('are of type get unless they ask for a change', async () => {
    await ask();
    void requests.ask(server, juliet, ping, 1000, (request) => sent.push(request), 'set');
    expect(sent.map(({ type }) => type)).to.deep.equal(['get', 'set']);
  });

  it('can say in their ids which node has asked', async () => {
    expect(OutgoingRequests.nodeTagOf(await ask())).to.equal(undefined);
    requests = new OutgoingRequests(clock, 'n7');
    const id = await ask();
    expect(id).to.have.length.above(22);
    expect(OutgoingRequests.nodeTagOf(id)).to.equal('n7');
    expect(await answer(id.slice(3), juliet.toString())).to.equal(undefined);
    expect(await answer(id, juliet.toString())).to.equal(`result ${id}`);
  });

  for (const type of ['result', 'error']) {
    it(`are answered by a stanza of type ${type}, and only once`, async () => {
      const id = await ask();
      expect(await answer(id, juliet.toString(), type)).to.equal(`${type} ${id}`);
      expect(clock.pendingCount).to.equal(0);
      let cancelled = 0;
      clock.after = () => ({ cancel: () => void cancelled++ });
      const again = await ask();
      for (let times = 0; times < 3; times++) requests.settle(Stanza.iq({ type, id: again, from: juliet }), juliet);
      expect(cancelled).to.equal(1);
    });
  }

  it('take no answer with another id, without an id, or from another address', async () => {
    const id = await ask();
    expect(await answer('guess', juliet.toString())).to.equal(undefined);
    expect(await answer(undefined, juliet.toString())).to.equal(undefined);
    for (const from of ['juliet@a.example', 'juliet@a.example/chamber', 'romeo@a.example/balcony', 'a.example']) {
      expect(await answer(id, from), from).to.equal(undefined);
    }
    expect(await answer(id, juliet.toString())).to.equal(`result ${id}`);
  });

  it('end at their time', async () => {
    const id = await ask();
    clock.advance(999);
    await Promise.resolve();
    expect(outcome).to.equal(undefined);
    clock.advance(1);
    expect(await answer(id, juliet.toString())).to.equal('timeout');
    expect(clock.pendingCount).to.equal(0);
  });
});
