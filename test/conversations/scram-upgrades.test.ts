import { createHash, pbkdf2Sync } from 'node:crypto';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { deriveCredentials } from '../../src/c2s/negotiation/sasl/credentials.ts';
import { extensions } from '../../src/extensions/index.ts';
import type { ScramHash } from '../../src/storage/accounts.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Account, Stage } from '../support/conversation.ts';
import { logsIn, showsToken, tokenIn } from '../support/sasl2-login.ts';
import { expectTree, headerFor, type TestClient } from '../support/test-client.ts';
import { findTree, type Tree } from '../support/xml-tree.ts';

const sasl2 = 'urn:xmpp:sasl:2';
const anything = `<any. xmlns="${sasl2}">...</any.>`;
const wants = (...hashes: string[]) =>
  hashes.map((hash) => `<upgrade xmlns="urn:xmpp:sasl:upgrade:0">UPGR-SCRAM-${hash}</upgrade>`).join('');
const asks = (hash: string, data = '') =>
  `<continue xmlns="${sasl2}">${data}<tasks><task>UPGR-SCRAM-${hash}</task></tasks></continue>`;
const withData = '<additional-data>*</additional-data>';
const next = (hash: string) => `<next xmlns="${sasl2}" task="UPGR-SCRAM-${hash}"/>`;
const failure = (condition: string) => {
  return `<failure xmlns="${sasl2}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>...</failure>`;
};

describe('Upgrades of credentials (XEP-0480)', () => {
  let storage: Pick<Storage, 'accounts'> | undefined;
  const stage = new Stage({
    extensions: (deps) => {
      storage = deps.storage;
      return extensions(deps);
    },
  });

  /** An account that has keys of these hashes only. */
  async function imported(...hashes: ScramHash[]): Promise<Account> {
    const account = await stage.account('juliet');
    const { scram } = await deriveCredentials(account.password, 4096);
    const kept = Object.fromEntries(hashes.map((hash) => [hash, scram[hash]]));
    await storage?.accounts.setCredentials(account.jid, { scram: kept });
    return account;
  }

  async function opened(attributes = ''): Promise<TestClient> {
    const client = await stage.client();
    await client.opens(headerFor('localhost', attributes));
    return client;
  }

  const login = ({ local: username, password }: Account, mechanism: string, inline = '') => ({
    username,
    password,
    mechanism,
    inline,
  });

  /** The hash that a client makes of its password for a task. */
  function salted(task: Tree, password: string, hash: string): string {
    const salt = findTree(task, 'salt') ?? expect.fail('no salt');
    const digest = hash.replace('-', '').toLowerCase();
    const length = createHash(digest).digest().length;
    const iterations = Number(salt.attributes.get('iterations'));
    return pbkdf2Sync(password, Buffer.from(salt.text, 'base64'), iterations, length, digest).toString('base64');
  }

  const answer = (hash: string) =>
    `<task-data xmlns="${sasl2}"><hash xmlns="urn:xmpp:scram-upgrade:0">${hash}</hash></task-data>`;

  /** Performs a task; returns what follows it. */
  async function performs(client: TestClient, { password }: Account, hash: string): Promise<Tree> {
    client.sends(next(hash));
    const pattern = `<task-data xmlns="${sasl2}"><salt xmlns="urn:xmpp:scram-upgrade:0" iterations="4096">*</salt></task-data>`;
    client.sends(answer(salted(await client.receives(pattern), password, hash)));
    return client.receives(anything);
  }

  const hashesOf = async ({ jid }: Account) => Object.keys((await storage?.accounts.credentials(jid))?.scram ?? {});

  it('makes the same offer whoever the stream header names (XEP-0480 §2.1)', async () => {
    const old = await imported('SHA-1');
    const complete = await stage.account('romeo');
    const names = ['', ` from="${old.jid}"`, ` from="${complete.jid}"`, ' from="ghost@localhost"'];
    const offers: string[] = [];
    for (const name of names) {
      const { features } = await opened(name);
      offers.push(features?.raw ?? '');
    }
    expect(offers[0]).to.contain(wants('SHA-256', 'SHA-512'));
    expect(new Set(offers)).to.have.property('size', 1);
  });

  it('adds keys that the account lacks, one after the other (XEP-0480 §3)', async () => {
    const account = await imported('SHA-1');
    const client = await opened();
    const bind = '<bind xmlns="urn:xmpp:bind:0"/>';
    const inline = `${wants('SHA-512', 'SHA-256')}${bind}`;
    expectTree(await logsIn(client, login(account, 'SCRAM-SHA-1', inline)), asks('SHA-256', withData));
    expectTree(await performs(client, account, 'SHA-256'), asks('SHA-512'));
    const success = await performs(client, account, 'SHA-512');
    expectTree(
      success,
      `<success xmlns="${sasl2}"><authorization-identifier>*</authorization-identifier><bound xmlns="urn:xmpp:bind:0">...</bound></success>`,
    );
    await client.receivesFeatures();
    await client.receivesNothing();
    for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN']) {
      expect((await logsIn(await opened(), login(account, mechanism))).name, mechanism).to.equal('success');
    }
  });

  it('works with PLAIN, and asks only for what the client offers', async () => {
    const account = await imported('SHA-1');
    const client = await opened();
    const outcome = await logsIn(client, login(account, 'PLAIN', wants('SHA-256', 'BLOOP2')));
    expectTree(outcome, asks('SHA-256'));
    expect((await performs(client, account, 'SHA-256')).name).to.equal('success');
    expect(await hashesOf(account)).to.have.members(['SHA-1', 'SHA-256']);
  });

  it('asks nothing if the account has everything, or the client did not offer it', async () => {
    const complete = await stage.account('juliet');
    const old = await imported('SHA-1');
    const everything = await logsIn(await opened(), login(complete, 'SCRAM-SHA-256', wants('SHA-256', 'SHA-512')));
    expect(everything.name).to.equal('success');
    expect((await logsIn(await opened(), login(old, 'SCRAM-SHA-1'))).name).to.equal('success');
  });

  it('does not ask a client with a token: it need not know the password', async () => {
    const account = await imported('SHA-1');
    const agent = '<user-agent id="d4565fa7-4d72-4749-b3d3-740edbf87770"/>';
    const request = '<request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/>';
    const { token } = tokenIn(await logsIn(await opened(), login(account, 'SCRAM-SHA-1', `${agent}${request}`)));
    const inline = `${agent}${wants('SHA-256')}`;
    expect((await showsToken(await opened(), { username: account.local, token, inline })).name).to.equal('success');
  });

  it('asks for the token after the tasks, not before', async () => {
    const account = await imported('SHA-1');
    const client = await opened();
    const agent = '<user-agent id="d4565fa7-4d72-4749-b3d3-740edbf87770"/>';
    const request = '<request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/>';
    const outcome = await logsIn(client, login(account, 'SCRAM-SHA-1', `${agent}${request}${wants('SHA-256')}`));
    expectTree(outcome, asks('SHA-256', withData));
    const { token } = tokenIn(await performs(client, account, 'SHA-256'));
    const again = await showsToken(await opened(), { username: account.local, token, inline: agent });
    expect(again.name).to.equal('success');
  });

  it('does not ask for keys of a password that bcrypt has seen in part', async () => {
    const account = await stage.account('juliet');
    const long = 'x'.repeat(73);
    await storage?.accounts.setCredentials(account.jid, { scram: {}, bcrypt: hashSync('x'.repeat(72), 4) });
    const { local: username } = account;
    const outcome = await logsIn(await opened(), {
      username,
      password: long,
      mechanism: 'PLAIN',
      inline: wants('SHA-256'),
    });
    expect(outcome.name).to.equal('success');
    expect(await hashesOf(account)).to.deep.equal([]);
  });

  it('keeps no keys of a password that was changed meanwhile', async () => {
    const account = await imported('SHA-1');
    const client = await opened();
    await logsIn(client, login(account, 'SCRAM-SHA-1', wants('SHA-256')));
    const { scram } = await deriveCredentials('another password', 4096);
    await storage?.accounts.changePassword(account.jid, { scram: { 'SHA-1': scram['SHA-1'] ?? expect.fail() } });
    await performs(client, account, 'SHA-256');
    expect(await hashesOf(account)).to.deep.equal(['SHA-1']);
  });

  describe('a task that goes wrong ends the attempt, adds nothing, and the client may go on (XEP-0388 §2.6.2)', () => {
    const short = Buffer.alloc(31).toString('base64');
    const wrong: readonly (readonly [string, string, readonly string[]])[] = [
      ['another task', 'malformed-request', [next('SHA-512')]],
      ['no task', 'malformed-request', [`<next xmlns="${sasl2}"/>`]],
      ['an answer before the task', 'malformed-request', [answer(Buffer.alloc(32).toString('base64'))]],
      ['a task begun twice', 'malformed-request', [next('SHA-256'), next('SHA-256')]],
      ['a hash of another length', 'malformed-request', [next('SHA-256'), answer(short)]],
      ['an empty hash', 'malformed-request', [next('SHA-256'), answer('')]],
      ['no hash', 'malformed-request', [next('SHA-256'), `<task-data xmlns="${sasl2}"/>`]],
      ['no base64', 'incorrect-encoding', [next('SHA-256'), answer('%')]],
      ['a response instead', 'malformed-request', [`<response xmlns="${sasl2}"/>`]],
      ['an abort', 'aborted', [`<abort xmlns="${sasl2}"/>`]],
    ];
    for (const [what, condition, elements] of wrong) {
      it(`${what}: ${condition}`, async () => {
        const account = await imported('SHA-1');
        const client = await opened();
        await logsIn(client, login(account, 'SCRAM-SHA-1', wants('SHA-256')));
        for (const element of elements.slice(0, -1)) {
          client.sends(element);
          await client.receives(`<task-data xmlns="${sasl2}">...</task-data>`);
        }
        client.sends(elements.at(-1) ?? '');
        await client.receives(failure(condition));
        expect(await hashesOf(account)).to.deep.equal(['SHA-1']);
        expect((await logsIn(client, login(account, 'SCRAM-SHA-1'))).name).to.equal('success');
      });
    }
  });

  it('knows no tasks before the mechanism has ended (XEP-0388 §2.4)', async () => {
    const client = await opened();
    client.sends(`<authenticate xmlns="${sasl2}" mechanism="PLAIN"/>`);
    await client.receives(`<challenge xmlns="${sasl2}">*</challenge>`);
    client.sends(next('SHA-256'));
    await client.receivesStreamError('not-authorized');
  });
});

describe('A server that wants no upgrades', () => {
  const stage = new Stage({ settings: { authentication: { scramIterations: 4096, scramUpgrades: ['SHA-512'] } } });

  it('offers only those that the operator wants', async () => {
    const client = await stage.client();
    const { raw } = await client.opens();
    expect(raw).to.contain(wants('SHA-512')).and.not.contain('UPGR-SCRAM-SHA-256');
  });
});
