import { expect } from 'chai';
import { contactAddresses } from '../../src/extensions/contact-addresses.ts';
import { disco } from '../../src/extensions/disco/disco.ts';
import { ping } from '../../src/extensions/ping.ts';
import { verificationString } from '../../src/protocol/caps.ts';
import type { Jid } from '../../src/protocol/jid.ts';
import type { Account } from '../../src/routing/account.ts';
import type { Advertisement, Extension } from '../../src/routing/extension.ts';
import { maySeePresence } from '../../src/routing/visibility.ts';
import { Bench, errorText } from './bench.ts';

const addresses = { abuse: [], admin: ['mailto:a@b'], feedback: [], sales: [], security: [], status: [], support: [] };

/** Juliet's nodes: one for everybody, one for those who may see her presence. */
const nodes: Advertisement = {
  accountNodes: async (account, asker, node) =>
    isShown(account, asker, node) ? { identities: [{ category: 'pubsub', type: 'leaf' }], features: [] } : undefined,
  accountItems: (account, asker, node) => {
    if (!account.key.startsWith('juliet')) return undefined;
    if (node === undefined) {
      const shown = ['open', 'secret'].filter((one) => isShown(account, asker, one));
      return shown.map((one) => ({ jid: account.jid, node: one }));
    }
    return isShown(account, asker, node) ? [{ jid: account.jid, name: `entry of ${node}` }] : undefined;
  },
};

function isShown(account: Account, asker: Jid, node: string): boolean {
  if (!account.key.startsWith('juliet')) return false;
  return node === 'open' || (node === 'secret' && maySeePresence(account, asker));
}

describe('Service Discovery (XEP-0030)', () => {
  let made: Extension | undefined;
  const bench = new Bench(() => {
    const all: Extension[] = [ping(), contactAddresses(addresses), { name: 'nodes', claims: [], disco: nodes }];
    made = disco({
      name: 'Ampere',
      homepage: 'https://ampere.example',
      advertisements: () => all.flatMap((extension) => extension.disco ?? []),
      services: (domain) => [{ jid: `rooms.${domain}`, name: 'Rooms' }],
    });
    all.push(made);
    return { extensions: all };
  });

  const query = (kind: 'info' | 'items', to: string, node?: string) =>
    `<iq type='get' id='d' ${to && `to='${to}'`}><query xmlns='http://jabber.org/protocol/disco#${kind}' ${
      node === undefined ? '' : `node='${node}'`
    }/></iq>`;

  const capabilities = {
    identities: [{ category: 'server', type: 'im', name: 'Ampere' }],
    features: [
      'urn:xmpp:ping',
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'http://jabber.org/protocol/caps',
    ],
    forms: contactAddresses(addresses).disco?.domainForms ?? [],
  };

  it('tells what the domain is and can', async () => {
    const juliet = await bench.user();
    const [answer] = await bench.asks(juliet, query('info', 'localhost'));
    expect(answer).to.equal(
      `<iq from="localhost" to="${juliet.jid}" id="d" type="result">` +
        '<query xmlns="http://jabber.org/protocol/disco#info">' +
        '<identity category="server" type="im" name="Ampere"/>' +
        capabilities.features.map((feature) => `<feature var="${feature}"/>`).join('') +
        '<x xmlns="jabber:x:data" type="result">' +
        '<field var="FORM_TYPE" type="hidden"><value>http://jabber.org/network/serverinfo</value></field>' +
        '<field var="admin-addresses" type="list-multi"><value>mailto:a@b</value></field>' +
        '</x></query></iq>',
    );
  });

  it('answers anybody about the domain, also from elsewhere', async () => {
    const juliet = await bench.user();
    await bench.arrives(query('info', 'localhost').replace('<iq', `<iq from='${juliet.jid}'`));
    expect(juliet.taken()[0]).to.contain('<identity category="server" type="im" name="Ampere"/>');
  });

  it('names its capabilities in the stream features, and answers for them (XEP-0115 §6.3)', async () => {
    const juliet = await bench.user();
    const ver = verificationString(capabilities);
    expect(made?.streamFeatures?.('unauthenticated')).to.deep.equal([]);
    expect(made?.streamFeatures?.('authenticated').join('')).to.equal(
      `<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="https://ampere.example" ver="${ver}"/>`,
    );
    const node = `https://ampere.example#${ver}`;
    const [answer] = await bench.asks(juliet, query('info', 'localhost', node));
    expect(answer).to.contain(`node="${node}"`).and.to.contain('urn:xmpp:ping');
  });

  it('lists the services', async () => {
    const juliet = await bench.user();
    expect((await bench.asks(juliet, query('items', 'localhost')))[0]).to.contain(
      '<query xmlns="http://jabber.org/protocol/disco#items"><item jid="rooms.localhost" name="Rooms"/></query>',
    );
  });

  it('tells an account and its friends about the account', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    await bench.befriend(juliet.account, romeo.account);
    for (const [session, to] of [
      [juliet, ''],
      [juliet, juliet.account.key],
      [romeo, juliet.account.key],
    ] as const) {
      const [info] = await bench.asks(session, query('info', to));
      expect(info).to.contain('<identity category="account" type="registered"/><feature var="urn:xmpp:ping"/>');
      expect((await bench.asks(session, query('items', to)))[0]).to.contain('disco#items"><item ');
    }
  });

  it('gives strangers the answer of no account: an error to info, no items (XEP-0030 §8)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    for (const kind of ['info', 'items'] as const) {
      for (const node of [undefined, '', 'x', 'secret']) {
        const [there] = await bench.asks(juliet, query(kind, romeo.account.key, node));
        const [nowhere] = await bench.asks(juliet, query(kind, 'romeo0@localhost', node));
        if (kind === 'info') expect(there).to.match(errorText('cancel', 'service-unavailable'));
        else {
          const echo = node === undefined ? '' : ` node="${node}"`;
          expect(there).to.contain(`type="result"><query xmlns="http://jabber.org/protocol/disco#items"${echo}/></iq>`);
        }
        expect(there?.replace(/romeo\d+/, '')).to.equal(nowhere?.replace(/romeo\d+/, ''));
      }
    }
  });

  it('tells of nodes and items of an account what its extensions show to the one who asks', async () => {
    const [juliet, romeo, stranger] = [await bench.user(), await bench.user('romeo'), await bench.user('tybalt')];
    await bench.befriend(juliet.account, romeo.account);
    const to = juliet.account.key;
    const item = (node: string) => `<item jid="${to}" node="${node}"/>`;
    for (const [session, nodes] of [
      [juliet, ['open', 'secret']],
      [romeo, ['open', 'secret']],
      [stranger, ['open']],
    ] as const) {
      expect((await bench.asks(session, query('items', to)))[0]).to.contain(
        `disco#items">${nodes.map(item).join('')}</query>`,
      );
      for (const node of ['open', 'secret']) {
        const [info] = await bench.asks(session, query('info', to, node));
        const [items] = await bench.asks(session, query('items', to, node));
        if (nodes.some((one) => one === node)) {
          expect(info).to.contain(`node="${node}"><identity category="pubsub" type="leaf"/>`);
          expect(items).to.contain(`node="${node}"><item jid="${to}" name="entry of ${node}"/></query>`);
        } else {
          expect(info).to.match(errorText('cancel', 'service-unavailable'));
          expect(items).to.contain(`node="${node}"/>`);
        }
      }
    }
  });

  it('knows no other nodes', async () => {
    const juliet = await bench.user();
    for (const kind of ['info', 'items'] as const) {
      for (const to of ['localhost', '']) {
        const [answer] = await bench.asks(juliet, query(kind, to, 'https://ampere.example#AAAA'));
        expect(answer).to.match(errorText('cancel', 'item-not-found'));
      }
    }
  });

  it('takes the empty node for none, and repeats it', async () => {
    const juliet = await bench.user();
    for (const kind of ['info', 'items'] as const) {
      for (const to of ['localhost', '']) {
        expect((await bench.asks(juliet, query(kind, to, '')))[0]).to.contain(`disco#${kind}" node=""`);
      }
    }
  });
});
