import { expect } from 'chai';
import { listPeers } from '../../src/web/control/server-operations.ts';
import type { TestClient } from '../support/test-client.ts';
import { needsPackages } from './needs-packages.ts';
import { Neighbors } from './neighbors.ts';
import type { PeerKind, Way } from './peer-kind.ts';
import { printsIfFailed } from './prints-if-failed.ts';
import { seek } from './seek.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const ping = '<ping xmlns="urn:xmpp:ping"/>';

/** One server's user and the other one's, in both orders. */
interface Cast {
  readonly neighbors: Neighbors;
  readonly romeo: TestClient;
  readonly juliet: TestClient;
}

/** Defines what Ampere and another server do for each other if they know each other by `way`, which is said in words of `proof`. */
export function describeFederation(kind: PeerKind, way: Way, proof: Way = way): void {
  const also = proof === way ? '' : ` and ${proof}`;
  describe(`Ampere and ${kind.name}, by ${way}${also}`, () => {
    needsPackages(kind.packages);
    let cast: Cast;
    let neighbors: Neighbors | undefined;
    printsIfFailed(() => neighbors?.said);

    before(async () => {
      neighbors = await Neighbors.start(kind, { way, bidi: false });
      const romeo = await neighbors.ampere.arrives('romeo');
      cast = { neighbors, romeo, juliet: await neighbors.peer.arrives('juliet') };
    });

    after(async () => {
      await neighbors?.stop();
    });

    it('exchange messages', () => exchangeMessages(cast));
    it('know each other', () => knowEachOther(cast, kind, proof));
    it('answer each other’s pings (XEP-0199)', () => pingEachOther(cast));
    it('let users see each other’s presence (RFC 6121 §3, §4)', () => seeEachOther(cast));
    it('refuse what is for nobody (RFC 6121 §8.5.1)', () => refuseUnknown(cast));
    it('keep what is for somebody who is away (XEP-0160)', () => keepForLater(cast));
  });
}

/** Defines what they do for each other by one stream for both directions, whoever has opened it (XEP-0288). */
export function describeOneStream(kind: PeerKind): void {
  for (const [opener, direction] of [
    ['Ampere', 'out'],
    [kind.name, 'in'],
  ] as const) {
    it(`One stream is enough for Ampere and ${kind.name} if ${opener} opens it (XEP-0288)`, async () => {
      const neighbors = await Neighbors.start(kind, { way: 'certificate', bidi: true });
      try {
        const romeo = await neighbors.ampere.arrives('romeo');
        const juliet = await neighbors.peer.arrives('juliet');
        const [first, second] = direction === 'out' ? [romeo, juliet] : [juliet, romeo];
        await sends(first, second);
        await sends(second, first);
        const streams = (await neighbors.ampere.administration.call(listPeers, {})).streams;
        expect(streams.map((stream) => stream.direction)).to.deep.equal([direction]);
      } finally {
        await neighbors.stop();
      }
    });
  }
}

async function exchangeMessages({ romeo, juliet }: Cast): Promise<void> {
  await sends(romeo, juliet);
  await sends(juliet, romeo);
}

async function sends(from: TestClient, to: TestClient): Promise<void> {
  const payload = '<body>Wherefore?</body><x xmlns="urn:x">y &amp; <z/></x>';
  from.sends(`<message to="${to.bare}" type="chat" id="m1">${payload}</message>`);
  await seek(to, `<message from="${from.jid}" to="*" type="chat" id="m1">${payload}...</message>`);
}

/** Each says of itself how it has proved itself, and how it knows the other. */
async function knowEachOther({ neighbors: { ampere, peer } }: Cast, kind: PeerKind, proof: Way): Promise<void> {
  const streams = (await ampere.administration.call(listPeers, {})).streams.filter(
    ({ authenticatedBy }) => authenticatedBy,
  );
  const known = streams.map(({ direction, authenticatedBy, tls }) => ({ direction, authenticatedBy, tls }));
  expect(known).to.have.deep.members(
    ['in', 'out'].map((direction) => ({ direction, authenticatedBy: proof, tls: true })),
  );
  for (const words of Object.values(kind.words[proof] ?? {})) {
    console.log(`      ${kind.name}: ${(await peer.says(words)).trim()}`);
  }
  for (const line of ampere.log.lines.filter((one) => one.includes('peer authenticated')))
    console.log(`      Ampere: ${line}`);
}

async function pingEachOther({ neighbors: { ampere, peer }, romeo, juliet }: Cast): Promise<void> {
  for (const [client, domain] of [
    [romeo, peer.domain],
    [juliet, ampere.domain],
  ] as const) {
    client.sends(`<iq type="get" id="ping1" to="${domain}">${ping}</iq>`);
    await seek(client, `<iq type="result" from="${domain}" to="${client.jid}" id="ping1"/>`);
  }
}

async function seeEachOther({ romeo, juliet }: Cast): Promise<void> {
  await befriend(romeo, juliet);
  for (const [seen, sees] of [
    [romeo, juliet],
    [juliet, romeo],
  ] as const) {
    seen.sends('<presence><show>dnd</show><status>in a duel</status></presence>');
    await seek(sees, `<presence from="${seen.jid}" to="*"><show>dnd</show><status>in a duel</status>...</presence>`);
  }
}

/** Each sees the other's presence from then on; `romeo` has not asked for the roster yet. */
export async function befriend(romeo: TestClient, juliet: TestClient): Promise<void> {
  await romeo.asks('<iq type="get"><query xmlns="jabber:iq:roster"/></iq>');
  await subscribes(romeo, juliet);
  await subscribes(juliet, romeo);
}

async function subscribes(subscriber: TestClient, contact: TestClient): Promise<void> {
  subscriber.sends(`<presence to="${contact.bare}" type="subscribe"/>`);
  await seek(contact, `<presence from="${subscriber.bare}" to="*" type="subscribe">...</presence>`);
  contact.sends(`<presence to="${subscriber.bare}" type="subscribed"/>`);
  await seek(
    subscriber,
    `<presence from="${contact.bare}" to="*" type="subscribed">...</presence>`,
    `<presence from="${contact.jid}" to="*" type="{none}">...</presence>`,
  );
}

async function refuseUnknown({ neighbors: { ampere, peer }, romeo, juliet }: Cast): Promise<void> {
  for (const [client, domain] of [
    [romeo, peer.domain],
    [juliet, ampere.domain],
  ] as const) {
    client.sends(`<message to="nobody@${domain}" type="chat" id="m2"><body>Anybody?</body></message>`);
    const error = `<error type="cancel"><service-unavailable xmlns="${stanzas}"/>...</error>`;
    await seek(
      client,
      `<message from="nobody@${domain}" to="${client.jid}" type="error" id="m2">${error}...</message>`,
    );
  }
}

async function keepForLater({ neighbors: { ampere, peer }, romeo, juliet }: Cast): Promise<void> {
  const later = (from: TestClient) =>
    `<message from="${from.jid}" to="*" type="chat" id="m3"><body>Later</body>` +
    '<delay xmlns="urn:xmpp:delay" stamp="*">...</delay>...</message>';
  const back = await peer.connects();
  await leaves(juliet, romeo);
  romeo.sends(`<message to="${juliet.bare}" type="chat" id="m3"><body>Later</body></message>`);
  await reaches(romeo, peer.domain);
  await peer.logsIn(back, 'juliet');
  await seek(back, later(romeo));
  await leaves(romeo, back);
  back.sends(`<message to="${romeo.bare}" type="chat" id="m3"><body>Later</body></message>`);
  await reaches(back, ampere.domain);
  const again = await ampere.logsIn('romeo', false);
  again.sends('<presence/>');
  await seek(again, later(back));
}

/** Who leaves is gone for whoever has seen their presence. */
async function leaves(client: TestClient, witness: TestClient): Promise<void> {
  client.sends('<presence type="unavailable"/></stream:stream>');
  await seek(witness, `<presence from="${client.jid}" to="*" type="unavailable">...</presence>`);
}

/** What was sent before has arrived once the other server has answered. */
async function reaches(client: TestClient, domain: string): Promise<void> {
  client.sends(`<iq type="get" id="ping2" to="${domain}">${ping}</iq>`);
  await seek(client, `<iq type="result" from="${domain}" to="${client.jid}" id="ping2"/>`);
}
