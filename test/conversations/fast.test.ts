import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { logsIn, showsToken, type TokenLogin, tokenIn } from '../support/sasl2-login.ts';
import { expectTree, headerFor, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const sasl2 = 'urn:xmpp:sasl:2';
const phoneId = 'd4565fa7-4d72-4749-b3d3-740edbf87770';
const agent = (id: string) => `<user-agent id="${id}"><software>AwesomeXMPP</software></user-agent>`;
const phone = agent(phoneId);
const request = (mechanism = 'HT-SHA-256-NONE') => `<request-token xmlns="urn:xmpp:fast:0" mechanism="${mechanism}"/>`;
const bind = '<bind xmlns="urn:xmpp:bind:0"/>';
const failure = (condition: string) => {
  return `<failure xmlns="${sasl2}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>...</failure>`;
};
const hourMs = 3_600_000;

describe('Fast authentication by tokens (XEP-0484)', () => {
  const clock = new ManualClock();
  const stage = new Stage({ clock });

  async function opened(attributes = ''): Promise<TestClient> {
    const client = await stage.client();
    await client.opens(headerFor('localhost', attributes));
    return client;
  }

  /** Logs in with the password and gets a token. */
  async function getsToken({ local, password }: Account, mechanism?: string, device = phone): Promise<string> {
    const login = { username: local, password, inline: `${device}${request(mechanism)}${bind}` };
    return tokenIn(await logsIn(await opened(), login)).token;
  }

  /** Logs in by a token on a new connection. */
  async function attempt({ local }: Account, token: string, changes: Partial<TokenLogin> = {}): Promise<Tree> {
    return showsToken(await opened(), { username: local, token, inline: `${phone}${bind}`, ...changes });
  }

  const hasToken = (success: Tree) => findTree(success, 'token') !== undefined;

  it('offers the mechanisms that the connection can bind to, and no early data (XEP-0484 §3.1)', async () => {
    const { features } = await opened();
    const fast = findTree(features ?? expect.fail(), 'fast') ?? expect.fail('no offer');
    expectTree(
      fast,
      `<fast xmlns="urn:xmpp:fast:0"><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>`,
    );
    expect([...fast.attributes.keys()]).to.not.include('tls-0rtt');
  });

  it('gives no token that nobody asked for', async () => {
    const { local: username, password } = await stage.account('juliet');
    const success = await logsIn(await opened(), { username, password, inline: phone });
    expectTree(success, `<success xmlns="${sasl2}"><additional-data>*</additional-data>...</success>`);
    expect(hasToken(success)).to.equal(false);
  });

  for (const mechanism of ['HT-SHA-256-EXPR', 'HT-SHA-256-ENDP', 'HT-SHA-256-NONE']) {
    it(`${mechanism} logs in with one message each way, and keeps its token (XEP-0484 §3.4)`, async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account, mechanism);
      for (const _ of [1, 2]) {
        const client = await opened();
        const login = { username: account.local, token, mechanism, inline: `${phone}${bind}` };
        const success = await showsToken(client, login);
        expect(childOf(success, 'authorization-identifier')?.text).to.match(new RegExp(`^${account.jid}/.+`));
        expect(hasToken(success)).to.equal(false);
        await client.receivesFeatures();
        await client.receivesNothing();
      }
    });
  }

  it('says when a token expires (XEP-0484 §3.3)', async () => {
    const { local: username, password } = await stage.account('juliet');
    const success = await logsIn(await opened(), { username, password, inline: `${phone}${request()}` });
    expect(Date.parse(tokenIn(success).expiry)).to.equal(clock.nowMs() + 21 * 24 * hourMs);
  });

  it('survives a restart of the server', async () => {
    const account = await stage.account('juliet');
    const token = await getsToken(account);
    await stage.server.restart();
    expect((await attempt(account, token)).name).to.equal('success');
  });

  it('comes with resumption in the same step (XEP-0198 §9.2)', async () => {
    const account = await stage.account('juliet');
    const { local: username, password } = account;
    const managed = `<bind xmlns="urn:xmpp:bind:0"><enable xmlns="urn:xmpp:sm:3" resume="true"/></bind>`;
    const client = await opened();
    const success = await logsIn(client, { username, password, inline: `${phone}${request()}${managed}` });
    const previd = findTree(success, 'enabled')?.attributes.get('id');
    await client.receivesFeatures();
    client.disconnects();
    const inline = `${phone}<resume xmlns="urn:xmpp:sm:3" previd="${previd}" h="0"/>`;
    expectTree(
      await attempt(account, tokenIn(success).token, { inline }),
      `<success xmlns="${sasl2}"><additional-data>*</additional-data><authorization-identifier>*</authorization-identifier><resumed xmlns="urn:xmpp:sm:3" previd="${previd}" h="0"/></success>`,
    );
  });

  describe('rotation (XEP-0484 §3.5)', () => {
    it('replaces a token after a day, but lets the old one live until the new one is used', async () => {
      const account = await stage.account('juliet');
      const old = await getsToken(account);
      clock.advance(24 * hourMs - 1);
      expect(hasToken(await attempt(account, old))).to.equal(false);
      clock.advance(1);
      const lost = tokenIn(await attempt(account, old)).token;
      // As if the client had never received it: the next one takes its place.
      const fresh = tokenIn(await attempt(account, old)).token;
      expectTree(await attempt(account, lost), failure('not-authorized'));
      expect((await attempt(account, fresh)).name).to.equal('success');
      expectTree(await attempt(account, old), failure('not-authorized'));
      expect((await attempt(account, fresh)).name).to.equal('success');
    });

    it('follows a request for another mechanism', async () => {
      const account = await stage.account('juliet');
      const old = await getsToken(account);
      const inline = `${phone}${bind}${request('HT-SHA-256-EXPR')}`;
      const fresh = tokenIn(await attempt(account, old, { inline })).token;
      expect((await attempt(account, old)).name, 'the old one still lives').to.equal('success');
      expect((await attempt(account, fresh, { mechanism: 'HT-SHA-256-EXPR' })).name).to.equal('success');
      expectTree(await attempt(account, old), failure('not-authorized'));
    });

    it('leaves the tokens of other devices alone', async () => {
      const account = await stage.account('juliet');
      const laptop = agent('3f9a1d2e-0000-4000-8000-000000000001');
      const one = await getsToken(account);
      const other = await getsToken(account, undefined, laptop);
      expect((await attempt(account, other, { inline: laptop })).name).to.equal('success');
      expect((await attempt(account, one)).name).to.equal('success');
      expectTree(await attempt(account, one, { inline: laptop }), failure('not-authorized'));
    });
  });

  describe('the end of a token', () => {
    it('comes after 21 days without a login (XEP-0484 §4.2)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      // Making every call that falls due in 21 days would take half a minute.
      clock.jumpTo(clock.nowMs() + 21 * 24 * hourMs);
      expectTree(await attempt(account, token), failure('credentials-expired'));
      expectTree(await attempt(account, `${token.slice(1)}x`), failure('not-authorized'));
    });

    it('comes when the client says so, after a last login (XEP-0484 §3.6)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      clock.advance(24 * hourMs);
      const last = await attempt(account, token, { attributes: ' invalidate="true"' });
      expect([last.name, hasToken(last)]).to.deep.equal(['success', false]);
      expectTree(await attempt(account, token), failure('not-authorized'));
    });

    it('may be the beginning of another (XEP-0484 §3.6)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      const inline = `${phone}${request()}`;
      const fresh = tokenIn(await attempt(account, token, { attributes: ' invalidate="1"', inline })).token;
      expectTree(await attempt(account, token), failure('not-authorized'));
      expect((await attempt(account, fresh)).name).to.equal('success');
    });

    it('comes with another password', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      const client = await account.connects();
      const fields = `<username>${account.local}</username><password>another password</password>`;
      await client.gets(
        `<iq type="set" to="localhost"><query xmlns="jabber:iq:register">${fields}</query></iq>`,
        '<iq type="result"/>',
      );
      expectTree(await attempt(account, token), failure('not-authorized'));
    });

    it('comes with the end of the account, also for the next one of the name', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      const client = await account.connects();
      client.sends('<iq type="set" id="r" to="localhost"><query xmlns="jabber:iq:register"><remove/></query></iq>');
      await client.receives('<iq type="result" id="r"/>');
      expectTree(await attempt(account, token), failure('not-authorized'));
      await stage.server.addUser(account.jid, account.password);
      expectTree(await attempt(account, token), failure('not-authorized'));
    });
  });

  describe('does not accept', () => {
    it('a token for another mechanism (XEP-0484 §3.4)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account, 'HT-SHA-256-ENDP');
      expectTree(await attempt(account, token), failure('not-authorized'));
      expect((await attempt(account, token, { mechanism: 'HT-SHA-256-ENDP' })).name).to.equal('success');
    });

    it('what was made for another connection', async () => {
      const account = await stage.account('juliet');
      const mechanism = 'HT-SHA-256-EXPR';
      const token = await getsToken(account, mechanism);
      const boundTo = await opened();
      expectTree(await attempt(account, token, { mechanism, boundTo }), failure('not-authorized'));
      expect((await attempt(account, token, { mechanism })).name).to.equal('success');
    });

    it('a count for the second time (XEP-0484 §3.4)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      const counted = (count: string) => attempt(account, token, { attributes: ` count="${count}"` });
      expect((await counted('7')).name).to.equal('success');
      expectTree(await counted('7'), failure('not-authorized'));
      expectTree(await counted('6'), failure('not-authorized'));
      for (const count of ['0', '-1', 'x', '', '1.5']) expectTree(await counted(count), failure('malformed-request'));
      expect((await counted('8')).name).to.equal('success');
    });

    it('the same as for an account that does not exist: unknown devices, other tokens, other accounts', async () => {
      const account = await stage.account('juliet');
      const other = await stage.account('romeo');
      const token = await getsToken(account);
      const stranger = agent('3f9a1d2e-0000-4000-8000-000000000002');
      const answers = [
        await attempt(account, token, { username: 'ghost' }),
        await attempt(account, token, { inline: stranger }),
        await attempt(account, 'a guess'),
        await attempt(other, token),
        await attempt(other, await getsToken(account)),
      ];
      expectTree(answers[0] ?? expect.fail(), failure('not-authorized'));
      expect(new Set(answers.map(({ raw }) => raw))).to.have.property('size', 1);
    });

    const wrong: readonly (readonly [string, string, Partial<TokenLogin>])[] = [
      ['a login without the id of a device', 'malformed-request', { inline: '<user-agent/>' }],
      ['a mechanism for passwords', 'invalid-mechanism', { mechanism: 'SCRAM-SHA-256' }],
      ['a mechanism that was not offered', 'invalid-mechanism', { mechanism: 'HT-SHA-256-UNIQ' }],
      ['a name that no account can have', 'not-authorized', { username: 'a@b' }],
      ['a message without a name', 'malformed-request', { username: '' }],
    ];
    for (const [what, condition, changes] of wrong) {
      it(`${what}: ${condition}, and the client may go on`, async () => {
        const account = await stage.account('juliet');
        const token = await getsToken(account);
        const client = await opened();
        const login = { username: account.local, token, inline: phone };
        expectTree(await showsToken(client, { ...login, ...changes }), failure(condition));
        expect((await showsToken(client, login)).name).to.equal('success');
      });
    }

    it('a token outside of <fast/>, or outside of SASL2', async () => {
      const client = await opened();
      const message = Buffer.from('juliet\0hash').toString('base64');
      client.sends(
        `<authenticate xmlns="${sasl2}" mechanism="HT-SHA-256-NONE"><initial-response>${message}</initial-response>${phone}</authenticate>`,
      );
      await client.receives(failure('invalid-mechanism'));
      client.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="HT-SHA-256-NONE">${message}</auth>`);
      await client.receives('<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><invalid-mechanism/>...</failure>');
    });

    it('a stream that has named somebody else (XEP-0388 §2.4)', async () => {
      const account = await stage.account('juliet');
      const token = await getsToken(account);
      const client = await opened(' from="romeo@localhost"');
      const login = { username: account.local, token, inline: phone };
      expectTree(await showsToken(client, login), failure('invalid-authzid'));
    });
  });

  describe('a request for a token', () => {
    for (const [what, inline] of [
      ['for a mechanism that was not offered', `${phone}${request('HT-SHA-256-UNIQ')}`],
      ['without the id of a device', `<user-agent/>${request()}`],
    ] as const) {
      it(`${what} does not keep the client from its login`, async () => {
        const { local: username, password } = await stage.account('juliet');
        const success = await logsIn(await opened(), { username, password, inline });
        expect([success.name, hasToken(success)]).to.deep.equal(['success', false]);
      });
    }

    it('is in vain if the authentication fails', async () => {
      const { local: username } = await stage.account('juliet');
      const outcome = await logsIn(await opened(), { username, password: 'wrong', inline: `${phone}${request()}` });
      expect([outcome.name, hasToken(outcome)]).to.deep.equal(['failure', false]);
    });
  });
});

describe('A server without tokens', () => {
  const stage = new Stage({ settings: { authentication: { scramIterations: 4096, fast: { enabled: false } } } });

  it('offers none, issues none and takes none', async () => {
    const { local: username, password } = await stage.account('juliet');
    const client = await stage.client();
    expect(findTree(await client.opens(), 'fast')).to.equal(undefined);
    expectTree(await showsToken(client, { username, token: 'x', inline: phone }), failure('invalid-mechanism'));
    const success = await logsIn(client, { username, password, inline: `${phone}${request()}` });
    expect(findTree(success, 'token')).to.equal(undefined);
  });
});
