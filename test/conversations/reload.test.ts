import { expect } from 'chai';
import { FederatedServer, type FederatedServerOptions } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';

const domain = 'verona.example';

describe('A reload of the settings of users', () => {
  let server: FederatedServer;
  let romeo: TestClient;
  before(async () => {
    [server] = (await FederatedServer.startAll([domain], 'dialback')) as [FederatedServer];
    romeo = await server.arrives('romeo');
    await (await server.arrives('juliet', false)).closes();
  });
  after(() => server.stop());

  const reloads = (more: NonNullable<FederatedServerOptions['more']>) => server.reloads({ more });
  const contact = (name: string) =>
    `<iq type="set"><query xmlns="jabber:iq:roster"><item jid="${name}@far.example"/></query></iq>`;

  it('changes the limits of open sessions', async () => {
    await romeo.asks(contact('first'));
    await reloads({ roster: { maxItems: 1 } });
    const refused = await romeo.asks(contact('second'));
    expect(refused.raw).to.contain('resource-constraint');
    await reloads({});
    expect((await romeo.asks(contact('second'))).attributes.get('type')).to.equal('result');
  });

  it('changes how many sessions a user may have', async () => {
    await reloads({ sessions: { maxPerAccount: 1 } });
    const first = await server.logsIn('juliet');
    const second = await server.connects();
    await second.authenticates({ username: 'juliet', password: 'pw' });
    const bind = '<iq type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>';
    expect((await second.asks(bind)).raw).to.contain('resource-constraint');
    await reloads({});
    expect((await second.asks(bind)).attributes.get('type')).to.equal('result');
    await Promise.all([first.closes(), second.closes()]);
  });

  it('changes what the server tells clients about silence', async () => {
    await reloads({ limits: { c2s: { idlePingAfterSeconds: 77 } } });
    const client = await server.connects();
    await client.authenticates({ username: 'juliet', password: 'pw' });
    expect(client.features?.raw).to.contain('<idle-seconds>77<');
    client.disconnects();
    await reloads({});
  });

  it('names what waits for a restart', async () => {
    await reloads({ push: { enabled: false }, registration: { invitations: 'nobody' } });
    const said = server.log.lines.filter((line) => line.includes('take effect after a restart')).at(-1);
    expect(said).to.contain('"keys":["registration.invitations","push.enabled"]');
  });
});
