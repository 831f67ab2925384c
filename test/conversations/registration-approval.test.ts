import { expect } from 'chai';
import { approveUser, listSuspensions, listWaiting, rejectUser } from '../../src/web/control/moderation-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';

const domain = 'verona.example';
const space = 'jabber:iq:register';
const open = {
  inBand: true,
  approval: true,
  questions: [{ question: 'Which river?', answers: ['Adige'] }],
};

describe('Registration with a question and approval', () => {
  let server: FederatedServer;
  let escalus: TestClient;
  before(async () => {
    const more = { administrators: [`escalus@${domain}`], registration: open };
    [server] = (await FederatedServer.startAll([domain], 'dialback', { more })) as [FederatedServer];
    escalus = await server.arrives('escalus');
  });
  after(() => server.stop());

  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const filled = (username: string, answer: string) =>
    `<iq type="set"><query xmlns="${space}"><x xmlns="jabber:x:data" type="submit">${field('FORM_TYPE', space)}${field('username', username)}${field('password', 'pw')}${field('qa', answer)}</x></query></iq>`;
  const get = `<iq type="get"><query xmlns="${space}"/></iq>`;
  async function registers(username: string): Promise<void> {
    const client = await server.connects();
    await client.asks(get);
    await client.gets(filled(username, 'adige'), '<iq type="result"/>');
    client.disconnects();
  }
  async function refusalFor(username: string): Promise<string> {
    const client = await server.connects();
    const answer = await client.tries({ username, password: 'pw' });
    client.disconnects();
    return answer.raw;
  }
  const waiting = async () => {
    const { accounts } = await server.administration.call(listWaiting, {});
    return accounts.map(({ jid }) => jid);
  };

  it('has a form with the question', async () => {
    const client = await server.connects();
    const { raw } = await client.asks(get);
    expect(raw).to.contain('label="Which river?"').and.to.contain('has approved');
    await client.gets(filled('paris', 'Po'), '<iq type="error"><error type="modify">...</error></iq>');
    client.disconnects();
  });

  it('makes an account whose user may log in when the operator has approved it', async () => {
    await registers('juliet');
    await escalus.receives(
      `<message from="${domain}" type="normal"><body>juliet@${domain} has registered and waits for approval.</body></message>`,
    );
    expect(await refusalFor('juliet'))
      .to.contain('account-disabled')
      .and.to.contain('waits for the approval');
    expect(await waiting()).to.deep.equal([`juliet@${domain}`]);
    expect((await server.administration.call(listSuspensions, {})).suspensions).to.deep.equal([]);
    await server.halt();
    await server.start();
    expect(await refusalFor('juliet')).to.contain('account-disabled');
    await server.administration.call(approveUser, { jid: `juliet@${domain}` });
    (await server.logsIn('juliet')).disconnects();
    expect(await waiting()).to.deep.equal([]);
    const again = await server.administration
      .call(approveUser, { jid: `juliet@${domain}` })
      .catch((error: unknown) => String(error));
    expect(again).to.contain('does not wait for approval');
  });

  it('removes an account that the operator rejects', async () => {
    await registers('tybalt');
    await server.administration.call(rejectUser, { jid: `tybalt@${domain}` });
    expect(await waiting()).to.deep.equal([]);
    expect(await refusalFor('tybalt')).to.contain('not-authorized');
    const rejected = await server.administration
      .call(rejectUser, { jid: `juliet@${domain}` })
      .catch((error: unknown) => String(error));
    expect(rejected, 'an account that does not wait stays').to.contain('does not wait for approval');
    (await server.logsIn('juliet')).disconnects();
  });

  it('is closed and opened by a reload', async () => {
    const offers = async () => {
      const client = await server.connects();
      const found = client.features?.children.some(({ ns }) => ns === 'http://jabber.org/features/iq-register');
      const answer = await client.asks(filled('nurse', 'adige'));
      client.disconnects();
      return [found, answer.raw.includes('not-allowed')];
    };
    const more = { administrators: [`escalus@${domain}`] };
    await server.reloads({ more: { ...more, registration: { ...open, inBand: false } } });
    expect(await offers(), 'with an invitation alone').to.deep.equal([true, true]);
    await server.reloads({ more: { ...more, registration: { inBand: true } } });
    const client = await server.connects();
    await client.gets(
      `<iq type="set"><query xmlns="${space}"><username>nurse</username><password>pw</password></query></iq>`,
      '<iq type="result"/>',
    );
    client.disconnects();
    (await server.logsIn('nurse')).disconnects();
  });
});
