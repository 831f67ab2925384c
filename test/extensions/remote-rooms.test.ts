import { expect } from 'chai';
import { remoteRooms } from '../../src/extensions/remote-rooms.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const remote = 'rooms.elsewhere.example';

describe('Rooms of other servers, after their link has broken', () => {
  /** What other servers were sent. */
  let sent: Stanza[] = [];
  let failure: StanzaError | undefined;
  const bench = new Bench((deps) => ({
    extensions: [remoteRooms(deps)],
    remotes: {
      send: (stanza, { failed }) => {
        sent.push(stanza);
        if (failure && stanza.kind === 'iq') failed(failure);
      },
    },
  }));
  let juliet: StubSession;

  beforeEach(async () => {
    sent = [];
    failure = undefined;
    juliet = await bench.user('juliet', '<presence/>');
    await bench.does(
      juliet,
      `<presence to="hall@${remote}/juliet"><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
    );
    sent = [];
    juliet.taken();
  });

  const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  /** Time passes; the requests that were sent meanwhile. */
  async function passes(seconds: number): Promise<string[]> {
    bench.clock.advance(seconds * 1000);
    await settled();
    return sent.map((iq) => `${iq.from} asks ${iq.to}: ${iq.payload.children[0]?.ns}`);
  }
  async function answers(condition?: string): Promise<string[]> {
    const [request] = sent.splice(0);
    const type = condition === undefined ? 'result' : 'error';
    const error = `<error type="cancel"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
    const content = condition === undefined ? '' : error;
    await bench.comes(
      `<iq from="${request?.to}" to="${request?.from}" id="${request?.id}" type="${type}">${content}</iq>`,
    );
    await settled();
    return juliet.taken();
  }
  const out = () =>
    `<presence from="hall@${remote}/juliet" to="${juliet.jid}" type="unavailable">` +
    '<x xmlns="http://jabber.org/protocol/muc#user"><item affiliation="none" role="none"/>' +
    '<status code="110"/><status code="333"/></x></presence>';
  const ping = () => `${juliet.jid} asks hall@${remote}/juliet: urn:xmpp:ping`;

  it('are asked in the name of each client, which hears nothing if it is still in', async () => {
    bench.routing.hooks.linkBroken(remote);
    expect(await passes(4)).to.deep.equal([]);
    expect(await passes(1)).to.deep.equal([ping()]);
    expect(await answers()).to.deep.equal([]);
    expect(await passes(4000)).to.deep.equal([]);
  });

  it('tell it so if it is out, and its presence does not go there any more', async () => {
    bench.routing.hooks.linkBroken(remote);
    await passes(5);
    expect(await answers('not-acceptable')).to.deep.equal([out()]);
    expect([...juliet.presence.directed.keys()]).to.deep.equal([]);
  });

  it('that do not exist any more count, too; a changed nickname does not', async () => {
    bench.routing.hooks.linkBroken(remote);
    await passes(5);
    expect(await answers('item-not-found')).to.deep.equal([]);
    expect(await passes(0)).to.deep.equal([`${juliet.jid} asks hall@${remote}: http://jabber.org/protocol/disco#info`]);
    expect(await answers()).to.deep.equal([]);
    bench.routing.hooks.linkBroken(remote);
    await passes(5);
    await answers('item-not-found');
    expect(await answers('item-not-found')).to.deep.equal([out()]);
  });

  it('are asked again if they cannot be reached, less and less often', async () => {
    failure = StanzaError.remoteServerNotFound();
    bench.routing.hooks.linkBroken(remote);
    for (const seconds of [5, 30, 120, 600, 1800]) {
      expect(await passes(seconds - 1)).to.deep.equal([]);
      expect(await passes(1)).to.deep.equal([ping()]);
      sent = [];
    }
    expect(await passes(10_000)).to.deep.equal([]);
    expect(juliet.taken()).to.deep.equal([]);
  });

  it('are asked once for many breaks, and not about other addresses', async () => {
    await bench.does(juliet, '<presence to="contact@other.example/x"/>');
    await bench.does(juliet, `<presence to="contact@${remote}"/>`);
    sent = [];
    for (let n = 0; n < 3; n += 1) bench.routing.hooks.linkBroken(remote);
    bench.routing.hooks.linkBroken('third.example');
    expect(await passes(5)).to.deep.equal([ping()]);
  });

  it('are not asked about a client that has left meanwhile', async () => {
    bench.routing.hooks.linkBroken(remote);
    await passes(5);
    await bench.does(juliet, `<presence to="hall@${remote}/juliet" type="unavailable"/>`);
    expect(await answers('not-acceptable')).to.deep.equal([]);
  });
});
