import { expect } from 'chai';
import { TestClient } from '../support/test-client.ts';
import { findTree, type Tree } from '../support/xml-tree.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture, type ServerUnderTest } from './server-under-test.ts';

const rounds = 8;
/** Requests that are not answered yet. */
const window = 10;
const [pubsub, bookmarks, mam] = ['http://jabber.org/protocol/pubsub', 'urn:xmpp:bookmarks:1', 'urn:xmpp:mam:2'];

/** What a client has changed, and the number of the last change that the server has confirmed. */
class Settings {
  /** The numbers of bookmarks and of preferences that were confirmed. */
  readonly confirmed: number[] = [];
  sent = 0;

  /** The next change: a bookmark of its own, or preferences in place of the ones before. */
  next(): string {
    const id = this.sent++;
    if (id % 3 === 0) {
      const always = `<always><jid>p${id}@x.example</jid></always>`;
      return `<iq type="set" id="${id}"><prefs xmlns="${mam}" default="always">${always}<never/></prefs></iq>`;
    }
    const item = `<item id="r${id}@x.example"><conference xmlns="${bookmarks}" name="${id}"/></item>`;
    const publish = `<publish node="${bookmarks}">${item}</publish>`;
    return `<iq type="set" id="${id}"><pubsub xmlns="${pubsub}">${publish}</pubsub></iq>`;
  }

  take(tree: Tree): void {
    expect(tree.attributes.get('type'), tree.raw).to.equal('result');
    this.confirmed.push(Number(tree.attributes.get('id')));
  }
}

describe('a server that is killed while a client changes its settings', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  async function connected({ port }: ServerUnderTest): Promise<TestClient> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    await client.opens();
    await client.authenticates({ username: 'romeo', password: 'romeo-password' });
    await client.binds('home');
    return client;
  }

  /** Sends changes until the server is killed, when it has confirmed some of them. */
  async function changeUntilKilled(settings: Settings, server: ServerUnderTest, count: number): Promise<void> {
    const client = await connected(server);
    const until = settings.confirmed.length + count;
    for (let sent = 0; sent < window; sent++) client.sends(settings.next());
    for (;;) {
      const arrival = await client.connection.next('a confirmation');
      if (arrival.kind !== 'element') return;
      settings.take(arrival.tree);
      if (settings.confirmed.length === until) server.kill();
      client.sends(settings.next());
    }
  }

  /** Expects every bookmark that was confirmed, and the last confirmed preferences or later ones. */
  async function expectSettings({ confirmed, sent }: Settings, client: TestClient): Promise<void> {
    const items = await client.asks(
      `<iq type="get"><pubsub xmlns="${pubsub}"><items node="${bookmarks}"/></pubsub></iq>`,
    );
    const found = new Set([...items.raw.matchAll(/<item [^>]*id=["']r(\d+)@x.example/g)].map(([, id]) => Number(id)));
    const isPreferences = (id: number) => id % 3 === 0;
    expect(confirmed.filter((id) => !isPreferences(id) && !found.has(id))).to.deep.equal([]);
    expect([...found].filter((id) => id >= sent)).to.deep.equal([]);
    const prefs = await client.asks(`<iq type="get"><prefs xmlns="${mam}"/></iq>`);
    const last = Number(/p(\d+)@/.exec(findTree(prefs, 'jid')?.text ?? '')?.[1]);
    expect(last).to.be.within(confirmed.findLast(isPreferences) ?? 0, sent - 1);
  }

  it('has every bookmark and all preferences that it has confirmed (XEP-0402, XEP-0441)', async () => {
    const random = new SeededRandom();
    const settings = new Settings();
    for (let round = 0; round < rounds; round++) {
      const server = await fixture.start(['romeo']);
      if (round > 0) await expectSettings(settings, await connected(server));
      await changeUntilKilled(settings, server, random.between(5, 60));
      expect(await server.end()).to.equal(null);
    }
    const server = await fixture.start(['romeo']);
    await expectSettings(settings, await connected(server));
    await server.stop();
    fixture.expectSoundDatabase();
    console.log(`      ${rounds} kills, seed ${random.seed}: ${settings.confirmed.length} changes confirmed, 0 lost`);
  });
});
