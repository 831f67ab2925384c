import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { headerFor, type TestClient } from '../support/test-client.ts';

interface Case {
  readonly id: string;
  /** A whole stream in base64, from its header on. */
  readonly bytes: string;
  readonly expect: 'accept' | 'not-well-formed' | 'restricted-xml' | 'policy';
}

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

const corpus = readFileSync(new URL('../corpus/xmpp-xml.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

/** The stream without its header; undefined where the header is the trick. */
function contentOf({ bytes }: Case): Buffer | undefined {
  const whole = Buffer.from(bytes, 'base64');
  return whole.toString('latin1').startsWith(header) ? whole.subarray(header.length) : undefined;
}

/** What never ends, so that only the clock can. */
const unfinished = new Set(['cdata-unclosed', 'syn-quote-mismatch']);
/** Refused at the first sign of a comment, before the rest of it shows that it is not even a proper one. */
const improper = new Set(['comment-bad']);
/** White space is no stanza: it is read and forgotten. */
const harmless = new Set(['ws-flood']);
/** Odd, but smaller than what an authenticated client may send (RFC 6120 §13.12). */
const withinLimits = new Set(['many-entities', 'charref-long']);
/** A client that reports a stream error is answered by closing. */
const goodbyes = new Set(['ns-streamerror-injected']);
/** Well-formed, but in the name of somebody else. */
const forgeries = new Set(['ns-prefixed-stanza']);

/** The stream errors that say "not with me" to what is well-formed (RFC 6120 §4.9.3). */
const refusals = [
  'policy-violation',
  'unsupported-stanza-type',
  'unsupported-encoding',
  'invalid-namespace',
  'bad-format',
  'not-well-formed',
];

function verdictsFor({ id, expect: wanted }: Case): readonly string[] {
  if (goodbyes.has(id)) return ['closed'];
  if (forgeries.has(id)) return ['invalid-from'];
  if (improper.has(id)) return ['restricted-xml', 'not-well-formed'];
  if (wanted === 'accept' || harmless.has(id) || withinLimits.has(id)) return ['accept'];
  return wanted === 'policy' ? refusals : [wanted];
}

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
  async function verdictOf(client: TestClient, one: Case, pieces: Iterable<Buffer>): Promise<string> {
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
