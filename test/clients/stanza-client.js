// Drives stanza by the line protocol of client-process.ts. Node itself checks certificates (NODE_EXTRA_CA_CERTS).
import { createInterface } from 'node:readline';
import { createClient } from 'stanza';

const [, port, security, jid, password] = process.argv.slice(2);
const transports =
  security === 'bosh'
    ? { bosh: `https://localhost:${port}/http-bind` }
    : { websocket: `wss://localhost:${port}/xmpp-websocket` };
const client = createClient({ jid, password, resource: 'stanza', transports, autoReconnect: false });

const say = (...words) => console.log(words.join('\t'));

client.on('session:started', async () => {
  await client.getRoster();
  say('online', client.jid);
  client.sendPresence();
});
client.on('auth:failed', () => say('refused', 'not-authorized'));
client.on('disconnected', () => say('closed'));
client.on('message', ({ from, body, delay }) => {
  if (body !== undefined) say('message', from, body, delay?.timestamp.toISOString() ?? '');
});
for (const type of ['available', 'unavailable']) {
  client.on(type, ({ from, show, status }) => say('presence', from, type, show ?? '', status ?? ''));
}

const orders = {
  message: (to, body) => client.sendMessage({ to, type: 'chat', body }),
  quit: () => {
    // Through BOSH it does not disconnect while it has an `<r/>` left to send; the server has ended the session then.
    for (const event of ['stream:end', 'disconnected']) client.on(event, () => process.exit(0));
    client.disconnect();
  },
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, ...words] = line.split('\t');
    orders[verb](...words);
  })
  .on('close', () => process.exit(0));

client.connect();
