import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const chat = (to: string, body: string, id = body) =>
  `<message to="${to}" type="chat" id="${id}"><body>${body}</body></message>`;
const bodyOf = (tree: Tree) => childOf(tree, 'body')?.text;

/** The resumption token of a client that enables stream management. */
async function enables(client: TestClient, attributes = ' resume="true"'): Promise<string> {
  client.sends(`<enable xmlns="${sm}"${attributes}/>`);
  const answer = await client.receives(`<enabled xmlns="${sm}">...</enabled>`);
  return answer.attributes.get('id') ?? '';
}

/** The next element, whatever it is. */
async function next(client: TestClient): Promise<Tree> {
  const arrival = await client.connection.next('an element');
  if (arrival.kind !== 'element') throw new Error(`expected an element, got ${arrival.kind}`);
  return arrival.tree;
}

/** Asks until the server has acknowledged `h`; what else comes is returned. */
async function acknowledges(client: TestClient, h: number): Promise<Tree[]> {
  client.sends(`<r xmlns="${sm}"/>`);
  const others: Tree[] = [];
  for (;;) {
    const tree = await next(client);
    if (tree.name !== 'a') others.push(tree);
    else if (tree.attributes.get('h') === String(h)) return others;
  }
}

/** The next message; requests for acknowledgment are passed over. */
async function nextMessage(client: TestClient): Promise<string | undefined> {
  for (;;) {
    const tree = await next(client);
    if (tree.name === 'message') return bodyOf(tree);
  }
}

async function messages(client: TestClient, count: number): Promise<(string | undefined)[]> {
  const bodies: (string | undefined)[] = [];
  while (bodies.length < count) bodies.push(await nextMessage(client));
  return bodies;
}

describe('Stream management (XEP-0198)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: {
      limits: { disabled: true, c2s: { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 } },
      streamManagement: { maxStanzas: 20, maxBytes: 100_000, resumeSeconds: 600, location: 'host1.localhost:5222' },
    },
  });

  /** A client that has authenticated and bound nothing. */
  async function authenticated(account: Account): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: account.local, password: account.password });
    return client;
  }

  /** A client on the way back to its session. */
  async function resumes(account: Account, token: string, h: number): Promise<TestClient> {
    const client = await authenticated(account);
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="${h}"/>`);
    return client;
  }

  /** An available client with stream management; all it was sent so far is acknowledged. */
  async function managed(account: Account, attributes?: string): Promise<{ client: TestClient; token: string }> {
    const client = await account.arrives();
    return { client, token: await enables(client, attributes) };
  }

  describe('being enabled', () => {
    it('is offered to those who have authenticated, not before (XEP-0198 §2)', async () => {
      const romeo = await stage.account('romeo');
      const client = await stage.client();
      expect(childOf(await client.opens(), 'sm')).to.equal(undefined);
      const features = await client.authenticates({ username: romeo.local, password: romeo.password });
      expect(childOf(features, 'sm')?.ns).to.equal(sm);
    });

    it('without resumption needs no id (XEP-0198 §3)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(`<enable xmlns="${sm}"/>`);
      await romeo.receives(`<enabled xmlns="${sm}"/>`, { strict: true });
    });

    it('gives a token, the time it holds, and where to come back to: what is asked for, up to the limit (XEP-0198 §3, §5)', async () => {
      const tokens = new Set<string>();
      for (const [asked, given] of [
        ['', '600'],
        [' max="60"', '60'],
        [' max="4000000000"', '86400'],
        [' max="much"', '600'],
      ]) {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(`<enable xmlns="${sm}" resume="1"${asked}/>`);
        const answer = await romeo.receives(
          `<enabled xmlns="${sm}" id="*" resume="true" max="${given}" location="host1.localhost:5222"/>`,
        );
        tokens.add(answer.attributes.get('id') ?? '');
      }
      expect(tokens.size).to.equal(4);
      for (const token of tokens) expect(token.length).to.be.at.least(22);
    });

    it('before a resource is bound is out of order (XEP-0198 §3)', async () => {
      const client = await authenticated(await stage.account('romeo'));
      client.sends(`<enable xmlns="${sm}"/>`);
      await client.receives(`<failed xmlns="${sm}"><unexpected-request xmlns="${stanzas}"/></failed>`);
      await client.binds();
      await client.receivesNothing();
    });

    it('before authentication is out of order, and the stream goes on (XEP-0198 §3)', async () => {
      const romeo = await stage.account('romeo');
      const client = await stage.client();
      await client.opens();
      for (const early of ['<enable', '<resume previd="x" h="0"']) {
        client.sends(`${early} xmlns="${sm}"/>`);
        await client.receives(`<failed xmlns="${sm}"><unexpected-request xmlns="${stanzas}"/></failed>`);
      }
      await client.authenticates({ username: romeo.local, password: romeo.password });
      await client.binds();
      await client.receivesNothing();
    });

    it('twice ends the stream (XEP-0198 §3)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      await enables(romeo);
      romeo.sends(`<enable xmlns="${sm}"/>`);
      await romeo.receivesStreamError('policy-violation');
    });

    it('is not a condition for words that come to nothing without it', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(`<r xmlns="${sm}"/><a xmlns="${sm}" h="0"/><resume xmlns="${sm}" previd="x" h="0"/>`);
      for (let count = 0; count < 3; count++) {
        await romeo.receives(`<failed xmlns="${sm}"><unexpected-request xmlns="${stanzas}"/></failed>`);
      }
      await romeo.receivesNothing();
    });
  });

  describe('acknowledgments by the server', () => {
    it('count from <enable/>, stanzas only (XEP-0198 §4)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      await enables(romeo, '');
      romeo.sends(`<r xmlns="${sm}"/>`);
      await romeo.receives(`<a xmlns="${sm}" h="0"/>`);
      romeo.sends('<active xmlns="urn:xmpp:csi:0"/>', '<presence/>', chat(juliet.jid, 'one'));
      await acknowledges(romeo, 2);
    });

    it('come for a message to an absent user when it is stored, and for what is refused (XEP-0198 §4)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await stage.account('juliet');
      await enables(romeo);
      romeo.sends(chat(juliet.jid, 'stored'), chat('nobody@localhost', 'refused'), '<message to="@"/>');
      const others = await acknowledges(romeo, 3);
      expect(others.filter(({ name }) => name === 'message').map(({ attributes }) => attributes.get('id'))).to.include(
        'refused',
      );
      const late = await juliet.arrives();
      expect(late.arrival.map(bodyOf)).to.include('stored');
    });
  });

  describe('acknowledgments by the client', () => {
    it('are asked for after five stanzas, or after a while (XEP-0198 §8.2)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const { client } = await managed(await stage.account('juliet'));
      for (let count = 1; count <= 5; count++) romeo.sends(chat(client.jid, `m${count}`));
      for (let count = 1; count <= 5; count++) await client.receives('<message>...</message>');
      await client.receives(`<r xmlns="${sm}"/>`);
      client.sends(`<a xmlns="${sm}" h="5"/>`);
      // The answer to a ping is a stanza, too.
      await client.settles();
      romeo.sends(chat(client.jid, 'm7'));
      await client.receives('<message>...</message>');
      clock.advance(5000);
      await client.receives(`<r xmlns="${sm}"/>`);
      client.sends(`<a xmlns="${sm}" h="7"/>`);
    });

    for (const [what, h] of [
      ['more than was sent', '7'],
      ['the last number of all', '4294967295'],
    ]) {
      it(`of ${what} end the stream (XEP-0198 §6)`, async () => {
        const { client } = await managed(await stage.account('juliet'));
        client.sends(`<a xmlns="${sm}" h="${h}"/>`);
        await client.receives(
          `<stream:error><undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>...` +
            `<handled-count-too-high xmlns="${sm}" h="${h}" send-count="0"/></stream:error>`,
        );
        await client.receivesEnd();
      });
    }

    for (const h of ['', ' h="-1"', ' h="1e9"', ' h="4294967296"', ' h="1.0"', ' h=""']) {
      it(`that are none end the stream: <a${h}/>`, async () => {
        const { client } = await managed(await stage.account('juliet'));
        client.sends(`<a xmlns="${sm}"${h}/>`);
        await client.receivesStreamError('bad-format');
      });
    }

    it('that do not come mean that the client is lost, and may come back (XEP-0198 §7)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client, token } = await managed(account);
      romeo.sends(chat(client.jid, 'one'));
      await client.receives('<message>...</message>');
      clock.advance(100);
      await client.receives(`<r xmlns="${sm}"/>`);
      await romeo.receivesNothing();
      clock.advance(62_000);
      await client.receivesStreamError('connection-timeout');
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
      expect(await nextMessage(back)).to.equal('one');
    });

    it('that bring nothing new are not asked for in a circle (XEP-0198 §4)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const { client } = await managed(await stage.account('juliet'));
      romeo.sends(chat(client.jid, 'one'));
      await client.receives('<message>...</message>');
      clock.advance(100);
      await client.receives(`<r xmlns="${sm}"/>`);
      client.sends(`<a xmlns="${sm}" h="0"/>`);
      await client.receivesNothing();
      clock.advance(5000);
      await client.receives(`<r xmlns="${sm}"/>`);
    });

    it('cannot be taken back (XEP-0198 §4)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const { client } = await managed(await stage.account('juliet'));
      romeo.sends(chat(client.jid, 'one'));
      await client.receives('<message>...</message>');
      client.sends(`<a xmlns="${sm}" h="1"/><a xmlns="${sm}" h="0"/>`);
      await client.receivesStreamError('undefined-condition');
    });
  });

  describe('resumption', () => {
    it('brings what was not acknowledged, in order, then what came meanwhile (XEP-0198 §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      for (const body of ['one', 'two', 'three']) romeo.sends(chat(juliet.jid, body));
      expect(await messages(juliet, 3)).to.deep.equal(['one', 'two', 'three']);
      juliet.disconnects();
      for (const body of ['four', 'five']) romeo.sends(chat(account.jid, body));
      await romeo.settles();
      const back = await resumes(account, token, 1);
      await back.receives(`<resumed xmlns="${sm}" previd="${token}" h="0"/>`);
      expect(await messages(back, 4)).to.deep.equal(['two', 'three', 'four', 'five']);
      back.sends(`<a xmlns="${sm}" h="5"/>`);
      romeo.sends(chat(juliet.jid, 'six'));
      expect(await nextMessage(back)).to.equal('six');
    });

    it('is seen by nobody (XEP-0198 §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
      await romeo.drains();
      juliet.sends(`<presence to="${romeo.bare}" type="subscribed"/>`);
      await juliet.drains();
      await romeo.drains();
      juliet.disconnects();
      await romeo.receivesNothing();
      await (await resumes(account, token, 0)).receives(`<resumed xmlns="${sm}">...</resumed>`);
      await romeo.receivesNothing();
    });

    it('leaves the session known to those it has written to (RFC 6121 §8.5.3.1)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      juliet.sends(chat(romeo.jid, 'hello'));
      expect(await messages(romeo, 1)).to.deep.equal(['hello']);
      juliet.disconnects();
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
      romeo.sends(`<iq type="get" id="x" to="${juliet.jid}"><query xmlns="urn:example:x"/></iq>`);
      await back.receives('<iq type="get" id="x"><query xmlns="urn:example:x"/></iq>');
    });

    it('tells how many stanzas were handled, which the client need not repeat (XEP-0198 §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      juliet.sends(chat(romeo.jid, 'one'), chat(romeo.jid, 'two'), '<message to="');
      expect(await messages(romeo, 2)).to.deep.equal(['one', 'two']);
      juliet.disconnects();
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}" previd="${token}" h="2"/>`);
      back.sends(chat(romeo.jid, 'three'));
      expect(await nextMessage(romeo)).to.equal('three');
      await acknowledges(back, 3);
    });

    it('takes the session from a stream that is still there (XEP-0198 §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}" previd="${token}" h="0"/>`);
      await juliet.receivesStreamError('conflict');
      romeo.sends(chat(juliet.jid, 'still here'));
      expect(await nextMessage(back)).to.equal('still here');
    });

    it('is for the account alone (XEP-0198 §10)', async () => {
      const { token, client } = await managed(await stage.account('juliet'));
      client.disconnects();
      const stranger = await resumes(await stage.account('tybalt'), token, 0);
      await stranger.receives(`<failed xmlns="${sm}"><item-not-found xmlns="${stanzas}"/></failed>`, { strict: true });
      await stranger.binds();
    });

    it('of nothing known fails, and the client can bind a resource (XEP-0198 §5)', async () => {
      const account = await stage.account('juliet');
      const client = await resumes(account, 'never-given', 0);
      await client.receives(`<failed xmlns="${sm}"><item-not-found xmlns="${stanzas}"/></failed>`, { strict: true });
      client.sends(`<resume xmlns="${sm}" h="0"/>`);
      await client.receives(`<failed xmlns="${sm}"><bad-request xmlns="${stanzas}"/></failed>`);
      client.sends(`<resume xmlns="${sm}" previd="x" h="-1"/>`);
      await client.receives(`<failed xmlns="${sm}"><bad-request xmlns="${stanzas}"/></failed>`);
      await client.binds();
    });

    it('with too high a count ends the new stream and leaves the session (XEP-0198 §6)', async () => {
      const account = await stage.account('juliet');
      const { client, token } = await managed(account);
      client.disconnects();
      await (await resumes(account, token, 9)).receivesStreamError('undefined-condition');
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
    });

    it('is not for a stream that was closed (XEP-0198 §7)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client, token } = await managed(account);
      client.sends(chat(romeo.jid, 'bye'));
      expect(await nextMessage(romeo)).to.equal('bye');
      await acknowledges(client, 1);
      await client.closes();
      const back = await resumes(account, token, 0);
      await back.receives(`<failed xmlns="${sm}" h="1"><item-not-found xmlns="${stanzas}"/></failed>`);
    });

    it('ends with the time agreed: contacts hear of it and messages go to the store (XEP-0198 §4, §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client, token } = await managed(account, ' resume="true" max="60"');
      client.sends(`<presence to="${romeo.jid}"/>`);
      await romeo.receives('<presence/>');
      client.disconnects();
      romeo.sends(chat(account.jid, 'waiting'));
      await romeo.settles();
      clock.advance(59_000);
      await romeo.receivesNothing();
      clock.advance(2_000);
      await romeo.receives(`<presence from="${client.jid}" type="unavailable"/>`);
      const late = await resumes(account, token, 0);
      await late.receives(`<failed xmlns="${sm}" h="*"><item-not-found xmlns="${stanzas}"/></failed>`);
      await late.binds();
      await late.appears();
      const stored = late.arrival.find(({ name }) => name === 'message');
      expect(stored && bodyOf(stored)).to.equal('waiting');
      expect(stored && childOf(stored, 'delay')?.attributes.get('from')).to.equal('localhost');
    });

    it('ends when the password is changed', async () => {
      const account = await stage.account('juliet');
      const { client: lost, token } = await managed(account);
      lost.disconnects();
      const other = await account.arrives();
      other.sends(
        `<iq id="change" type="set"><query xmlns="jabber:iq:register"><username>${account.local}</username><password>new</password></query></iq>`,
      );
      await other.receives(`<presence from="${lost.jid}" type="unavailable"/>`);
      await other.receives('<iq id="change" type="result">...</iq>');
      const client = await stage.client();
      await client.opens();
      await client.authenticates({ username: account.local, password: 'new' });
      client.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
      await client.receives(`<failed xmlns="${sm}">...</failed>`);
    });
  });

  describe('what an ended session did not deliver', () => {
    it('goes to another resource, in order, with the time it was sent first (XEP-0198 §4, XEP-0203)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client } = await managed(account);
      for (const body of ['one', 'two']) romeo.sends(chat(client.jid, body));
      expect(await messages(client, 2)).to.deep.equal(['one', 'two']);
      const other = await account.arrives({ presence: '<presence><priority>-1</priority></presence>' });
      other.sends('<presence><priority>1</priority></presence>');
      await other.drains();
      client.disconnects();
      await romeo.receivesNothing();
      clock.advance(601_000);
      const first = await other.receives('<presence type="unavailable">...</presence>');
      expect(first.attributes.get('from')).to.equal(client.jid);
      expect(await messages(other, 2)).to.deep.equal(['one', 'two']);
    });

    it('is nothing if the client has said goodbye, even one that miscounts (RFC 6120 §4.4)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client } = await managed(account);
      romeo.sends(chat(client.jid, 'one'));
      expect(await messages(client, 1)).to.deep.equal(['one']);
      await client.closes().catch(() => undefined);
      const back = await account.arrives();
      await back.receivesNothing();
    });

    it('is answered with an error if it is a request (XEP-0198 §4)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const { client } = await managed(await stage.account('juliet'));
      client.sends(`<presence to="${romeo.jid}"/>`);
      await romeo.receives('<presence/>');
      client.disconnects();
      romeo.sends(`<iq type="get" id="late" to="${client.jid}"><query xmlns="jabber:iq:version"/></iq>`);
      await romeo.receivesNothing();
      clock.advance(601_000);
      await romeo.receives('<presence type="unavailable"/>');
      await romeo.receives(
        `<iq type="error" id="late"><error type="cancel"><service-unavailable xmlns="${stanzas}"/>...</error></iq>`,
      );
    });

    for (const [unit, count, length] of [
      ['stanzas', 25, 1],
      ['bytes', 5, 30_000],
    ] as const) {
      const bodies = Array.from({ length: count }, (_, index) => `${index}`.padStart(length, '.'));

      it(`is not lost when it is more than may wait, in ${unit} (XEP-0198 §4)`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        const account = await stage.account('juliet');
        const { client } = await managed(account);
        romeo.sends(...bodies.map((body, index) => chat(account.jid, body, `m${index}`)));
        await romeo.settles();
        let last = await next(client);
        while (last.name !== 'error') last = await next(client);
        expect(last.children[0]?.name).to.equal('policy-violation');
        const back = await account.arrives();
        expect(back.arrival.filter(({ name }) => name === 'message').map(bodyOf)).to.deep.equal(bodies);
      });

      it(`comes from the store at the pace at which it is acknowledged, if that is more ${unit} than may wait (XEP-0198 §4)`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        const account = await stage.account('juliet');
        romeo.sends(...bodies.map((body, index) => chat(account.jid, body, `m${index}`)));
        await romeo.settles();
        const juliet = await account.connects();
        await enables(juliet);
        juliet.sends('<presence/>');
        const received: (string | undefined)[] = [];
        for (let h = 0; received.length < count; ) {
          const tree = await next(juliet);
          if (tree.name === 'r') juliet.sends(`<a xmlns="${sm}" h="${h}"/>`);
          else h += 1;
          if (tree.name === 'message') received.push(bodyOf(tree));
        }
        expect(received).to.deep.equal(bodies);
        const after = await juliet.drains();
        expect(after.map(({ name }) => name).filter((name) => name !== 'iq' && name !== 'r')).to.deep.equal([]);
      });

      it(`also when its client is away: too many ${unit} go to the store (XEP-0198 §4)`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        const account = await stage.account('juliet');
        const { client, token } = await managed(account);
        client.disconnects();
        await romeo.settles();
        romeo.sends(...bodies.map((body, index) => chat(account.jid, body, `m${index}`)));
        await romeo.settles();
        const back = await resumes(account, token, 0);
        await back.receives(`<failed xmlns="${sm}" h="0"><item-not-found xmlns="${stanzas}"/></failed>`);
        await back.binds();
        await back.appears();
        expect(back.arrival.filter(({ name }) => name === 'message').map(bodyOf)).to.deep.equal(bodies);
      });
    }
  });

  describe('a restart of the server', () => {
    it('is survived by sessions, by what they were sent, and by what they have told (XEP-0198 §5)', async () => {
      const sender = await stage.account('romeo');
      const romeo = await sender.arrives();
      const account = await stage.account('juliet');
      const { client: juliet, token } = await managed(account);
      juliet.sends(chat(romeo.jid, 'hello'));
      expect(await nextMessage(romeo)).to.equal('hello');
      for (const body of ['one', 'two', 'three']) romeo.sends(chat(juliet.jid, body));
      expect(await messages(juliet, 3)).to.deep.equal(['one', 'two', 'three']);
      await stage.server.restart();
      const again = await sender.arrives();
      again.sends(chat(account.jid, 'four'));
      await again.settles();
      const back = await resumes(account, token, 1);
      await back.receives(`<resumed xmlns="${sm}" previd="${token}" h="1"/>`);
      expect(await messages(back, 3)).to.deep.equal(['two', 'three', 'four']);
      back.sends(`<a xmlns="${sm}" h="4"/>`);
      again.sends(chat(juliet.jid, 'five'));
      expect(await nextMessage(back)).to.equal('five');
    });

    it('changes no order: what was stored comes again before what came behind it (RFC 6120 §10.1)', async () => {
      const sender = await stage.account('romeo');
      const romeo = await sender.arrives();
      await enables(romeo);
      const account = await stage.account('juliet');
      const juliet = await account.arrives({ presence: '<presence><priority>-1</priority></presence>' });
      juliet.answersPings = false;
      const token = await enables(juliet);
      romeo.sends(chat(account.jid, 'one'), chat(account.jid, 'two'));
      await acknowledges(romeo, 2);
      juliet.sends('<presence/>');
      expect(await messages(juliet, 2)).to.deep.equal(['one', 'two']);
      romeo.sends(chat(account.jid, 'three'));
      expect(await messages(juliet, 1)).to.deep.equal(['three']);
      await stage.server.restart();
      const again = await sender.arrives();
      again.sends(chat(account.jid, 'four'));
      await again.settles();
      const back = await resumes(account, token, 0);
      await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
      expect(await messages(back, 4)).to.deep.equal(['one', 'two', 'three', 'four']);
    });

    it('that takes longer than a session lives tells how far it had come (XEP-0198 §5)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const account = await stage.account('juliet');
      const { client, token } = await managed(account, ' resume="true" max="60"');
      client.sends(chat(romeo.jid, 'one'), chat('nobody@localhost', 'two'));
      await acknowledges(client, 2);
      await stage.server.restart();
      clock.advance(60_000);
      const back = await resumes(account, token, 0);
      await back.receives(`<failed xmlns="${sm}" h="2"><item-not-found xmlns="${stanzas}"/></failed>`);
    });

    it('is survived by the session that has changed the password (XEP-0077 §3.3)', async () => {
      const account = await stage.account('juliet');
      const { client, token } = await managed(account);
      client.sends(
        `<iq id="change" type="set"><query xmlns="jabber:iq:register"><username>${account.local}</username><password>new</password></query></iq>`,
      );
      await client.receives('<iq id="change" type="result">...</iq>');
      await stage.server.restart();
      const back = await stage.client();
      await back.opens();
      await back.authenticates({ username: account.local, password: 'new' });
      back.sends(`<resume xmlns="${sm}" previd="${token}" h="1"/>`);
      await back.receives(`<resumed xmlns="${sm}" previd="${token}" h="1"/>`);
    });

    it('tells clients with stream management how far it has come (RFC 6120 §4.9.3.20)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      await enables(romeo);
      romeo.sends('<presence/>');
      await romeo.receives('<presence/>');
      const restarted = stage.server.restart();
      const seen: string[] = [];
      for (;;) {
        const tree = await next(romeo);
        seen.push(tree.name === 'a' ? `a ${tree.attributes.get('h')}` : tree.name);
        if (tree.name === 'error') break;
      }
      expect(seen.at(-2)).to.equal('a 1');
      await romeo.receivesEnd();
      await restarted;
    });
  });
});
