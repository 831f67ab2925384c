import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { BadNetwork } from './bad-network.ts';

const sm = 'urn:xmpp:sm:3';
const limits = { disabled: true, c2s: { idlePingAfterSeconds: 60, idleCloseAfterSeconds: 20 } };
/** From the last sign of life to the unavailable presence, with a tick for each deadline and one for the presence. */
const noticedAfterSeconds = 60 + 20 + 3;
const resumeSeconds = 300;

const bodyOf = (tree: Tree) => childOf(tree, 'body')?.text;
const chat = (to: string, body: string) => `<message to="${to}" type="chat"><body>${body}</body></message>`;

describe('a bad network (RFC 6120 §4.6, XEP-0198 §5)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: { tls: { required: false }, limits, streamManagement: { resumeSeconds } },
  });
  let network: BadNetwork;
  let juliet: Account;
  let romeo: TestClient;
  beforeEach(async () => {
    network = await BadNetwork.to(stage.server.c2s.port);
    juliet = await stage.account('juliet');
    romeo = await (await stage.account('romeo')).arrives();
  });
  afterEach(() => network.close());

  /** A client on the bad network that has sent nothing. */
  async function connected(): Promise<TestClient> {
    return stage.keep(await TestClient.connect({ host: '127.0.0.1', port: network.port }, 'localhost'));
  }

  async function authenticated(): Promise<TestClient> {
    const client = await connected();
    await client.opens();
    await client.authenticates({ username: juliet.local, password: juliet.password });
    return client;
  }

  async function available(resource?: string): Promise<TestClient> {
    const client = await authenticated();
    await client.binds(resource);
    await client.appears();
    return client;
  }

  async function managed(resource?: string): Promise<{ client: TestClient; token: string }> {
    const client = await available(resource);
    client.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const answer = await client.receives(`<enabled xmlns="${sm}">...</enabled>`);
    return { client, token: answer.attributes.get('id') ?? '' };
  }

  async function resumes(token: string, h: number): Promise<{ client: TestClient; handled: string | undefined }> {
    const client = await authenticated();
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="${h}"/>`);
    const answer = await client.receives(`<resumed xmlns="${sm}">...</resumed>`);
    return { client, handled: answer.attributes.get('h') };
  }

  /** The bodies of the next messages, without other elements between them. */
  async function bodies(client: TestClient, count: number): Promise<(string | undefined)[]> {
    const found: (string | undefined)[] = [];
    while (found.length < count) {
      const arrival = await client.connection.next('a message');
      if (arrival.kind !== 'element') throw new Error('cut off');
      if (arrival.tree.name === 'message') found.push(bodyOf(arrival.tree));
    }
    return found;
  }

  /** Advances the clock while Romeo stays connected. Resolves with the seconds until he sees unavailable presence, if he does. */
  async function secondsUntilGone(limit: number): Promise<number | undefined> {
    for (let second = 1; second <= limit; second++) {
      clock.advance(1000);
      await turn();
      const news = await romeo.drains();
      if (news.some((tree) => tree.attributes.get('type') === 'unavailable')) return second;
    }
    return undefined;
  }

  /** Makes Romeo get this client's unavailable presence. */
  async function isWatched(client: TestClient): Promise<void> {
    client.sends(`<presence to="${romeo.jid}"/>`);
    await romeo.receives(`<presence from="${client.jid}" type="{none}"/>`);
  }

  /** Enables stream management for Romeo. The function it returns resolves when the server has acknowledged `count` of his stanzas. */
  function enablesForRomeo(): (count: number) => Promise<void> {
    romeo.sends(`<enable xmlns="${sm}"/>`);
    return async (count) => {
      romeo.sends(`<r xmlns="${sm}"/>`);
      for (;;) {
        const arrival = await romeo.connection.next('an acknowledgment');
        if (arrival.kind === 'element' && arrival.tree.attributes.get('h') === String(count)) return;
      }
    };
  }

  it('detects a dead connection in time, and stores the messages written to it', async () => {
    const phone = await available('phone');
    await isWatched(phone);
    network.freezes();
    const acknowledged = enablesForRomeo();
    romeo.sends(chat(phone.bare, 'while dead'));
    await acknowledged(1);
    const seconds = await secondsUntilGone(noticedAfterSeconds);
    expect(seconds).to.be.within(80, noticedAfterSeconds);
    romeo.sends(chat(phone.bare, 'after it'));
    await romeo.drains();
    const later = await juliet.connects();
    later.sends('<presence/>');
    expect(await bodies(later, 2)).to.deep.equal(['while dead', 'after it']);
    console.log(`      a dead connection was detected after ${seconds} s: a ping after 60 s, the end 20 s later`);
  });

  it('keeps a session behind a dead connection, and its client gets everything once and in order', async () => {
    const { client, token } = await managed();
    network.freezes();
    for (const body of ['1', '2']) romeo.sends(chat(client.bare, body));
    await secondsUntilGone(noticedAfterSeconds);
    romeo.sends(chat(client.bare, '3'));
    await romeo.settles();
    const { client: back } = await resumes(token, 0);
    expect(await bodies(back, 3)).to.deep.equal(['1', '2', '3']);
    back.sends(`<a xmlns="${sm}" h="3"/>`);
    expect((await back.drains()).filter(({ name }) => name === 'message')).to.deep.equal([]);
  });

  it('lets a client that detects the dead connection first resume its session', async () => {
    const { client, token } = await managed();
    network.freezes();
    romeo.sends(chat(client.bare, '1'));
    await romeo.settles();
    const { client: back } = await resumes(token, 0);
    romeo.sends(chat(client.bare, '2'));
    expect(await bodies(back, 2)).to.deep.equal(['1', '2']);
    expect((await back.drains()).filter(({ name }) => name === 'message')).to.deep.equal([]);
  });

  it('redelivers to another resource if the client does not come back', async () => {
    const { client: phone } = await managed('phone');
    network.freezes();
    const tablet = await juliet.arrives({ resource: 'tablet' });
    await tablet.drains();
    for (const body of ['1', '2']) romeo.sends(chat(phone.jid, body));
    await romeo.settles();
    for (let seconds = 0; seconds < noticedAfterSeconds + resumeSeconds; seconds++) {
      clock.advance(1000);
      await turn();
      await romeo.drains();
    }
    expect(await bodies(tablet, 2)).to.deep.equal(['1', '2']);
  });

  it('handles whole stanzas only when the connection breaks within one', async () => {
    const one = chat(romeo.jid, 'one');
    const both = one + chat(romeo.jid, 'two');
    const cuts = Array.from({ length: 20 }, (_, index) => Math.round((both.length * (index + 1)) / 20));
    for (const cut of cuts) {
      const { client, token } = await managed();
      network.breaksIn(cut);
      client.sends(both);
      await client.receivesClosed();
      const { client: back, handled } = await resumes(token, 0);
      if (Number(handled) < 1) back.sends(one);
      if (Number(handled) < 2) back.sends(chat(romeo.jid, 'two'));
      expect(await bodies(romeo, 2)).to.deep.equal(['one', 'two']);
      await back.closes();
    }
    console.log(`      ${cuts.length} connections broke within stanzas: nothing lost, nothing repeated`);
  });

  it('keeps the session when the connection breaks within a resumption', async () => {
    const { client, token } = await managed();
    romeo.sends(chat(client.bare, 'at last'));
    await romeo.settles();
    const resume = `<resume xmlns="${sm}" previd="${token}" h="0"/>`;
    const cuts = Array.from({ length: 20 }, (_, index) => Math.round((resume.length * (index + 1)) / 20));
    for (const cut of cuts) {
      network.breaks();
      const attempt = await authenticated();
      network.breaksIn(cut);
      attempt.sends(resume);
      while ((await attempt.connection.next('the end')).kind !== 'closed');
    }
    const { client: back } = await resumes(token, 0);
    expect(await bodies(back, 1)).to.deep.equal(['at last']);
    console.log(
      `      ${cuts.length} connections broke within <resume/>: the session was resumed, and nothing repeated`,
    );
  });

  it('still serves others after connections that break within a TLS handshake', async () => {
    const { trust } = stage.server;
    let broken = 0;
    for (let bytes = 20; bytes < 1000; bytes += 35) {
      network.shape = { breaksAfter: bytes };
      const attempt = async () => {
        const client = await connected();
        await client.opens();
        await client.startsTls(trust);
        await client.opens();
      };
      await attempt().catch(() => {
        broken += 1;
      });
    }
    expect(broken).to.be.at.least(20);
    network.shape = {};
    await (await available()).settles();
    console.log(`      ${broken} connections broke within a TLS handshake`);
  });

  for (const [name, shape] of Object.entries({
    'one byte at a time': { piece: 1 },
    'late and in small pieces': { piece: 40, jitterMs: 4 },
  })) {
    it(`loses nothing when data arrives ${name}`, async () => {
      network.shape = shape;
      const client = await connected();
      await client.opens();
      await client.startsTls(stage.server.trust);
      await client.opens();
      await client.authenticates({ username: juliet.local, password: juliet.password });
      await client.binds();
      await client.appears();
      const words = Array.from({ length: 20 }, (_, index) => `${index} \u{1f98a}`);
      for (const word of words) {
        client.sends(chat(romeo.jid, word));
        romeo.sends(chat(client.jid, word));
      }
      expect(await bodies(romeo, words.length)).to.deep.equal(words);
      expect(await bodies(client, words.length)).to.deep.equal(words);
    });
  }
});
