import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { logsIn, showsToken, tokenIn } from '../support/sasl2-login.ts';
import { TestClient } from '../support/test-client.ts';
import { ServerFixture, type ServerUnderTest } from './server-under-test.ts';

const rounds = 6;
const phone = '<user-agent id="d4565fa7-4d72-4749-b3d3-740edbf87770"/>';
const inline = `${phone}<request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/>`;

describe('a server that is killed when it has given out a token (XEP-0484)', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  async function connected({ port }: ServerUnderTest): Promise<TestClient> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    await client.opens();
    await client.startsTls({ ca: readFileSync(fixture.authority) });
    await client.opens();
    return client;
  }

  it('knows every token that a client was told, and none of the older ones once that was used', async () => {
    let server = await fixture.start(['romeo']);
    const first = await logsIn(await connected(server), { username: 'romeo', password: 'romeo-password', inline });
    let { token } = tokenIn(first);
    for (let round = 0; round < rounds; round++) {
      server.kill();
      expect(await server.end()).to.equal(null);
      server = await fixture.start(['romeo']);
      const success = await showsToken(await connected(server), { username: 'romeo', token, inline });
      expect(success.name, `round ${round}`).to.equal('success');
      const used = token;
      token = tokenIn(success).token;
      if (round % 2 === 0) continue;
      // What a use has ended must stay so.
      const client = await connected(server);
      const again = await showsToken(client, { username: 'romeo', token, inline: phone });
      expect(again.name).to.equal('success');
      server.kill();
      expect(await server.end()).to.equal(null);
      server = await fixture.start(['romeo']);
      const old = await showsToken(await connected(server), { username: 'romeo', token: used, inline: phone });
      expect(old.name, `round ${round}`).to.equal('failure');
    }
    await server.stop();
    fixture.expectSoundDatabase();
  });
});
