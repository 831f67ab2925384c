import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

/** Tries again until the server has noticed that others are gone, which it does soon after they are. */
async function untilServed<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100; left > 0; left--) {
    try {
      return await attempt();
    } catch {
      // Turned away.
    }
  }
  return attempt();
}

describe('Too many connections (RFC 6120 §13.12, XEP-0205 §3)', () => {
  const connections = { perIpConcurrent: 8, perIpPerSecond: 10_000, perIpBurst: 10_000, unauthenticated: 5 };
  const stage = new Stage({ settings: { limits: { connections } } });

  it('without authentication: the next one is refused, and authenticated clients are served', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const waiting: TestClient[] = [];
    for (let n = 0; n < 5; n++) {
      const client = await stage.plainClient();
      await client.opens();
      waiting.push(client);
    }
    await (await stage.plainClient()).receivesClosed();
    romeo.sends(`<message to="${juliet.jid}"><body>x</body></message>`);
    await juliet.receives('<message><body>x</body></message>');
    await waiting[0]?.closes();
    await untilServed(async () => {
      await (await stage.plainClient()).opens();
    });
  });

  it('from one address: the next one is refused until another has closed', async () => {
    const account = await stage.account('romeo');
    const sessions: TestClient[] = [];
    for (let n = 0; n < 8; n++) sessions.push(await untilServed(() => account.connects()));
    await (await stage.plainClient()).receivesClosed();
    await sessions[0]?.closes();
    await untilServed(() => account.connects());
  });
});

describe('Too much data on a connection (RFC 6120 §13.12)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true, c2s: { outgoingBufferBytes: 65_536 } } } });

  it('before authentication: every stream ends, and the next client is served', async () => {
    const garbage = '<a><b/>'.repeat(2000);
    const clients: TestClient[] = [];
    for (let n = 0; n < 50; n++) {
      const client = await stage.plainClient();
      await client.opens();
      client.sends(garbage);
      clients.push(client);
    }
    for (const client of clients) await client.receivesStreamError('policy-violation');
    await (await stage.account('romeo')).arrives();
  });

  it('for a client that does not read: it is disconnected, and the sender is not affected', async () => {
    const { romeo, juliet, nurse } = await stage.enter(['romeo', 'juliet', 'nurse']);
    juliet.sends(`<presence to="${nurse.jid}"/>`);
    await nurse.receives(`<presence from="${juliet.jid}" type="{none}"/>`);
    juliet.connection.pauseReading();
    const body = 'x'.repeat(200_000);
    for (let n = 0; n < 100; n++)
      romeo.sends(`<message to="${juliet.jid}" type="headline"><body>${body}</body></message>`);
    await nurse.receives(`<presence from="${juliet.jid}" type="unavailable"/>`);
    await romeo.receivesNothing();
    romeo.sends(`<message to="${nurse.jid}"><body>still here</body></message>`);
    await nurse.receives('<message><body>still here</body></message>');
  });
});

describe('Too many requests on a connection (RFC 6120 §13.12)', () => {
  const stage = new Stage();

  it('from a client that does not read: the server answers when it reads again', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    juliet.sends(`<presence to="${romeo.jid}"/>`);
    await romeo.receives(`<presence from="${juliet.jid}" type="{none}"/>`);
    juliet.connection.pauseReading();
    const query = '<iq type="get" id="q" to="localhost"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>';
    juliet.sends(query.repeat(5000));
    await romeo.receivesNothing();
    juliet.connection.resumeReading();
    for (let n = 0; n < 5000; n++) await juliet.receives('<iq type="result" id="q">...</iq>');
    await juliet.receivesNothing();
  });
});
