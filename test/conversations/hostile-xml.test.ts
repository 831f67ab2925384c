import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import {
  contentOf,
  corpus,
  type HostileCase,
  harmless,
  refusals,
  unfinished,
  verdictsFor,
} from '../support/hostile-corpus.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { headerFor, type TestClient } from '../support/test-client.ts';

describe('Hostile XML (RFC 6120 §11, §13.12)', () => {
  const clock = new ManualClock();
  const stage = new Stage({ clock });

  async function passSeconds(seconds: number): Promise<void> {
    // The server answers in the order of arrival: it has read all that was sent before.
    const other = await stage.plainClient();
    await other.opens();
    other.disconnects();
    for (let left = seconds; left > 0; left--) {
      await turn();
      clock.advance(1000);
    }
  }

  /** How the server ended the stream: with which error, or without any. */
  async function fateOf(client: TestClient): Promise<string> {
    let fate = 'closed';
    for (;;) {
      const arrival = await client.connection.next('the end of the connection');
      if (arrival.kind === 'closed') return fate;
      if (arrival.kind === 'element' && arrival.tree.name === 'error') fate = arrival.tree.children[0]?.name ?? 'error';
    }
  }

  /** What became of one case on this client's stream, which is bound. */
  async function verdictOf(client: TestClient, one: HostileCase, pieces: Iterable<Buffer>): Promise<string> {
    client.sends(...pieces);
    if (verdictsFor(one).includes('accept')) {
      await client.drains();
      return 'accept';
    }
    if (unfinished.has(one.id)) await passSeconds(32);
    return fateOf(client);
  }

  it('behaves the same on a bound stream, whole or byte by byte, and nothing gets through', async () => {
    const password = 'has a password';
    for (const name of ['a', 'victim']) await stage.server.addUser(`${name}@localhost`, password);
    const witnesses = [await login('a', password), await login('victim', password)];
    const sender = await stage.account('mallory');
    const wrong: string[] = [];
    for (const one of corpus) {
      const content = contentOf(one);
      if (!content) continue;
      const bytewise = Array.from(content, (byte) => Buffer.of(byte));
      for (const pieces of content.length < 400 ? [[content], bytewise] : [[content]]) {
        const client = await sender.arrives();
        const verdict = await verdictOf(client, one, pieces).catch(String);
        if (!verdictsFor(one).includes(verdict))
          wrong.push(`${one.id} in ${pieces.length}: ${verdict}, not ${one.expect}`);
        client.disconnects();
      }
    }
    expect(wrong).to.deep.equal([]);
    const [addressee, victim] = witnesses;
    const received = (await addressee?.drains()) ?? [];
    expect(received).to.not.have.length(0);
    for (const { raw, attributes } of received) {
      expect(attributes.get('from'), raw).to.match(new RegExp(`^${sender.jid}/`));
    }
    await victim?.receivesNothing();
  });

  for (const [phase, reach] of [
    ['before TLS', () => stage.plainClient()],
    ['before authentication', () => stage.client()],
  ] as const) {
    it(`ends every stream ${phase}, in the same class of error, and the next client is served`, async () => {
      const wrong: string[] = [];
      for (const one of corpus) {
        const content = contentOf(one);
        if (!content || harmless.has(one.id)) continue;
        const client = await reach();
        await client.opens();
        client.sends(content);
        if (unfinished.has(one.id)) await passSeconds(32);
        const fate = await fateOf(client);
        // Before authentication a stanza is refused for coming at all, and limits are lower.
        const allowed = [...verdictsFor(one), 'not-authorized', 'policy-violation', 'connection-timeout'];
        if (!allowed.includes(fate)) wrong.push(`${one.id}: ${fate}, not ${one.expect}`);
        client.disconnects();
      }
      expect(wrong).to.deep.equal([]);
      await (await reach()).opens();
    });
  }

  it('ends every stream whose header is the trick, behind a header of its own', async () => {
    const wrong: string[] = [];
    for (const one of corpus.filter((candidate) => contentOf(candidate) === undefined)) {
      const client = await stage.plainClient();
      client.sends(Buffer.from(one.bytes, 'base64'));
      await client.receivesHeader();
      if (one.expect === 'accept') await client.receivesFeatures();
      const fate = one.expect === 'accept' ? 'accept' : await fateOf(client);
      const allowed = one.expect === 'policy' ? [...refusals, 'accept'] : [one.expect];
      if (!allowed.includes(fate)) wrong.push(`${one.id}: ${fate}, not ${one.expect}`);
      client.disconnects();
    }
    expect(wrong).to.deep.equal([]);
    await (await stage.plainClient()).opens(headerFor('localhost'));
  });

  async function login(username: string, password: string): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username, password });
    await client.binds();
    await client.appears();
    return client;
  }
});
