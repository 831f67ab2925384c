import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { startTestServer } from '../support/test-server.ts';

const host = '127.0.0.1';

describe('Ports that somebody else has', () => {
  const other = createServer();
  let taken: { host: string; port: number; optional: boolean };

  before(async () => {
    other.listen(0, host);
    await once(other, 'listening');
    taken = { host, port: (other.address() as AddressInfo).port, optional: true };
  });
  after(() => void other.close());

  it('for other servers and components are done without, if they are optional', async () => {
    const server = await startTestServer({
      settings: {
        listen: { c2s: [{ host, port: 0 }], c2sTls: [], s2s: [taken], s2sTls: [], components: [taken] },
        s2s: { enabled: true },
        components: { 'echo.localhost': { secret: 'x' } },
      },
    });
    expect(server.c2s.port).to.be.above(0);
    await server.stop();
  });

  it('for clients are not, if there are no others', async () => {
    const failure = await startTestServer({ settings: { listen: { c2s: [taken], c2sTls: [] } } }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.equal('none of the addresses for starttls can be had');
  });
});
