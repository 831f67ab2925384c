// Drives @xmpp/client by the line protocol of client-process.ts. Node itself checks certificates (NODE_EXTRA_CA_CERTS).
import { createInterface } from 'node:readline';
import { client, xml } from '@xmpp/client';

const [host, port, security, address, password] = process.argv.slice(2);
const [username, domain] = address.split('@');
// TLS from the first byte verifies the name in the address, so that is the domain itself.
const services = {
  starttls: `xmpp://${host}:${port}`,
  direct: `xmpps://${domain}:${port}`,
  https: `wss://${domain}:${port}/xmpp-websocket`,
};
const service = services[security];
// It would give up after two seconds in which the machine has something else to do.
const entity = client({ service, domain, username, password, resource: 'xmpp-js', timeout: 60_000 });
entity.reconnect.stop();

const say = (...words) => console.log(words.join('\t'));

const certificateErrors = /^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|CERT_)/;

const giveUp = (error) => {
  if (error.name === 'SASLError') say('refused', error.condition);
  else if (certificateErrors.test(error.code)) say('untrusted', error.code);
  else say('closed', error);
  process.exit(0);
};

const rosterItems = (query) => query?.getChildren('item') ?? [];

const showCarbon = (carbon) => {
  const message = carbon.getChild('forwarded', 'urn:xmpp:forward:0').getChild('message', 'jabber:client');
  say('carbon', carbon.name, message.attrs.from, message.attrs.to, message.getChildText('body'));
};

const onStanza = {
  message: (stanza) => {
    const carbon = ['sent', 'received'].map((name) => stanza.getChild(name, 'urn:xmpp:carbons:2')).find(Boolean);
    if (carbon) return showCarbon(carbon);
    const body = stanza.getChildText('body');
    const delay = stanza.getChild('delay', 'urn:xmpp:delay');
    if (body !== null && stanza.attrs.type === 'groupchat') say('said', stanza.attrs.from, body);
    else if (body !== null) say('message', stanza.attrs.from, body, delay?.attrs.stamp ?? '');
  },
  presence: (stanza) => {
    const { from, type = 'available' } = stanza.attrs;
    say('presence', from, type, stanza.getChildText('show') ?? '', stanza.getChildText('status') ?? '');
  },
  iq: () => {},
};

entity.iqCallee.set('jabber:iq:roster', 'query', ({ element }) => {
  for (const item of rosterItems(element)) say('push', item.attrs.jid, item.attrs.subscription);
  return true;
});

const fetchRoster = async () => rosterItems(await entity.iqCaller.get(xml('query', 'jabber:iq:roster')));

const orders = {
  message: (to, body) => entity.send(xml('message', { to, type: 'chat' }, xml('body', {}, body))),
  join: (room, nick) =>
    entity.send(xml('presence', { to: `${room}/${nick}` }, xml('x', 'http://jabber.org/protocol/muc'))),
  say: (to, body) => entity.send(xml('message', { to, type: 'groupchat' }, xml('body', {}, body))),
  presence: (show, status) => entity.send(xml('presence', {}, xml('show', {}, show), xml('status', {}, status))),
  subscribe: (to) => entity.send(xml('presence', { to, type: 'subscribe' })),
  approve: (to) => entity.send(xml('presence', { to, type: 'subscribed' })),
  'roster-add': (jid, name, group) =>
    entity.iqCaller.set(xml('query', 'jabber:iq:roster', xml('item', { jid, name }, xml('group', {}, group)))),
  roster: async () => {
    for (const item of await fetchRoster()) {
      const { jid, name, subscription } = item.attrs;
      say(
        'item',
        jid,
        name ?? '',
        subscription,
        item
          .getChildren('group')
          .map((group) => group.text())
          .join(','),
      );
    }
    say('roster-end');
  },
  carbons: async () => {
    await entity.iqCaller.set(xml('enable', 'urn:xmpp:carbons:2'));
    say('carbons-on');
  },
  disconnect: () => entity.stop(),
  connect: () => entity.start(),
  quit: async () => {
    await entity.stop();
    process.exit(0);
  },
};

entity.on('stanza', (stanza) => onStanza[stanza.name](stanza));
entity.on('error', giveUp);
entity.on('disconnect', () => say('closed'));
entity.on('online', async (bound) => {
  await fetchRoster();
  await entity.send(xml('presence'));
  say('online', bound);
});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, ...words] = line.split('\t');
    orders[verb](...words);
  })
  .on('close', () => process.exit(0));

entity.start().catch(giveUp);
