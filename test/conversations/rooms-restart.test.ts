import { expect } from 'chai';
import { brief } from '../groupchat/brief.ts';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';
import type { Tree } from '../support/xml-tree.ts';
import { enters, founds, says } from './rooms-cast.ts';

const sm = 'urn:xmpp:sm:3';

describe('A room over a restart of the server', () => {
  const clock = new ManualClock();
  const patient = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const settings = { limits: { disabled: true, c2s: patient }, streamManagement: { resumeSeconds: 600 } };
  const stage = new Stage({ clock, settings });

  /** The token of a client that can come back. */
  async function enables(client: TestClient): Promise<string> {
    client.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const answer = await client.receives(`<enabled xmlns="${sm}">...</enabled>`);
    return answer.attributes.get('id') ?? '';
  }

  async function resumes(account: Account, token: string, h: number): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: account.local, password: account.password });
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="${h}"/>`);
    await client.receives(`<resumed xmlns="${sm}">...</resumed>`);
    return client;
  }

  /** Counts stanzas, as a client with stream management does. */
  async function next(client: TestClient): Promise<Tree> {
    for (;;) {
      const arrival = await client.connection.next('a stanza');
      if (arrival.kind !== 'element') throw new Error(`expected a stanza, got ${arrival.kind}`);
      if (['message', 'presence', 'iq'].includes(arrival.tree.name)) return arrival.tree;
    }
  }

  /** Everything up to a line. */
  async function readsTo(client: TestClient, last: string): Promise<string[]> {
    const read: string[] = [];
    while (read.at(-1) !== last) read.push(brief(await next(client)));
    return read;
  }

  /** Juliet, who can come back, and Romeo in a room. */
  async function cast() {
    const [julietAt, romeoAt] = [await stage.account('juliet'), await stage.account('romeo')];
    const [juliet, romeo] = [await julietAt.arrives(), await romeoAt.arrives()];
    const token = await enables(juliet);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await readsTo(juliet, `+romeo none/participant ${romeo.jid}`);
    return { julietAt, romeoAt, juliet, romeo, room, token };
  }

  /** The stanzas that Juliet has got when Romeo is in the room: the answer to her form, two presences and the subject. */
  const gotAtFirst = 4;

  for (const isConnected of [true, false]) {
    it(`a client that resumes is still in it and has missed nothing${isConnected ? '' : ', also if it was away'}`, async () => {
      const { julietAt, romeoAt, juliet, romeo, room, token } = await cast();
      await says(romeo, room, 'before');
      expect(await readsTo(juliet, 'romeo: before')).to.deep.equal(['romeo: before']);
      if (!isConnected) juliet.disconnects();
      await says(romeo, room, 'one');
      await stage.server.restart();
      const again = await romeoAt.arrives();
      await enters(again, `${room}/romeo`);
      await says(again, room, 'two');
      const back = await resumes(julietAt, token, gotAtFirst + 1);
      const came = await readsTo(back, 'romeo: two');
      expect(came).to.deep.equal([
        ...(isConnected ? ['romeo: one'] : []),
        `-romeo none/none ${romeo.jid}`,
        ...(isConnected ? [] : ['romeo: one (late)']),
        `+romeo none/participant ${again.jid}`,
        'romeo: two',
      ]);
      await says(back, room, 'still here');
    });
  }

  it('a client that does not come back is out when its session ends', async () => {
    const { romeoAt, juliet, room } = await cast();
    await stage.server.restart();
    const again = await romeoAt.arrives();
    const came = (await enters(again, `${room}/romeo`)).map(brief);
    expect(came).to.include('+juliet owner/moderator');
    clock.advance(600_000);
    expect(await readsTo(again, '-juliet owner/none')).to.deep.equal(['-juliet owner/none']);
    expect(came.join()).not.to.contain(juliet.jid);
  });
});
