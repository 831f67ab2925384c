import { expect } from 'chai';
import { importUsers } from '../../src/web/control/import-operations.ts';
import { setPassword } from '../../src/web/control/user-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';

describe('Who comes online', () => {
  let server: FederatedServer | undefined;
  afterEach(() => server?.stop());

  it('gets all requests for presence that wait, also more of them than may wait to leave (RFC 6121 §3.1.3)', async () => {
    const [verona] = await FederatedServer.startAll(['verona.example'], 'dialback');
    server = verona;
    if (!verona) throw new Error('no server');
    const jid = 'juliet@verona.example';
    const strangers = Array.from({ length: 400 }, (_, index) => `stranger${index}@far.example`);
    const contacts = strangers.map((contact) => ({
      contact,
      name: '',
      groups: [],
      subscription: 'none' as const,
      ask: false,
      approved: false,
      inRoster: false,
      pendingIn: `<presence type="subscribe"><status>${'x'.repeat(4000)}</status></presence>`,
    }));
    await verona.administration.call(importUsers, { users: [{ jid, contacts }] });
    await verona.administration.call(setPassword, { jid, password: 'pw' });
    const juliet = await verona.logsIn('juliet');
    const asked = juliet.arrival.filter((tree) => tree.attributes.get('type') === 'subscribe');
    while (asked.length < strangers.length) {
      asked.push(await juliet.receives('<presence type="subscribe"><status>*</status></presence>'));
    }
    expect(asked.map((tree) => tree.attributes.get('from'))).to.have.members(strangers);
  });
});
