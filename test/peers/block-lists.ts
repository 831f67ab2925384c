import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { ManualClock } from '../support/manual-clock.ts';
import { creates, joins, untilLine } from '../support/shares-rooms.ts';
import type { TestClient } from '../support/test-client.ts';
import { needsPackages } from './needs-packages.ts';
import { Neighbors } from './neighbors.ts';
import type { PeerKind } from './peer-kind.ts';
import { printsIfFailed } from './prints-if-failed.ts';
import { keeperOfNodes } from './prosody.ts';
import { seek } from './seek.ts';

const node = 'muc_bans_sha256';
const pubsub = 'http://jabber.org/protocol/pubsub';
const muc = 'http://jabber.org/protocol/muc';
/** How often a client tries to enter: each time it gets an answer first. */
const mostTries = 500;

/** A server that keeps a list, and a client that publishes in it. */
class BlockList {
  readonly service: string;
  readonly #item: string;
  keeper: TestClient;

  constructor(domain: string, keeper: TestClient) {
    this.service = `pubsub.${domain}`;
    this.#item = createHash('sha256').update(domain).digest('hex');
    this.keeper = keeper;
  }

  async create(): Promise<void> {
    const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
    const fields = `${field('FORM_TYPE', `${pubsub}#node_config`)}${field('pubsub#access_model', 'open')}${field('pubsub#max_items', '200')}`;
    const configuration = `<configure><x xmlns="jabber:x:data" type="submit">${fields}</x></configure>`;
    await this.#asks(`<create node="${node}"/>${configuration}`);
  }

  /** Puts the domain of the server itself on the list. */
  async publish(): Promise<void> {
    const report = '<report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam"/>';
    await this.#asks(`<publish node="${node}"><item id="${this.#item}">${report}</item></publish>`);
  }

  async retract(): Promise<void> {
    await this.#asks(`<retract node="${node}" notify="true"><item id="${this.#item}"/></retract>`);
  }

  async #asks(request: string): Promise<void> {
    this.keeper.sends(
      `<iq type="set" id="list" to="${this.service}"><pubsub xmlns="${pubsub}">${request}</pubsub></iq>`,
    );
    await seek(this.keeper, '<iq type="result" id="list" from="*" to="*">...</iq>');
  }
}

/** Defines how Ampere follows a block list in the service for publish-subscribe of another server. */
export function describeBlockLists(kind: PeerKind, { restarts }: { readonly restarts: boolean }): void {
  describe(`Ampere follows a block list that ${kind.name} keeps`, () => {
    needsPackages(kind.packages);
    let neighbors: Neighbors;
    let list: BlockList;
    let room: string;
    let guest: TestClient;
    printsIfFailed(() => neighbors?.said);

    before(async () => {
      // Time stands still, so that nothing is subscribed to or read again by itself.
      neighbors = await Neighbors.start(kind, { way: 'dialback', bidi: false, clock: new ManualClock() });
      const { ampere, peer } = neighbors;
      room = `balcony@conference.${ampere.domain}`;
      await creates(await ampere.arrives('romeo'), room);
      list = new BlockList(peer.domain, await peer.arrives(keeperOfNodes));
      await list.create();
      guest = await peer.arrives('tybalt');
      const followed = ampere.log.hears('a block list is followed');
      await ampere.reloads({ more: { moderation: { blockLists: [{ service: list.service, node }] } } });
      await followed;
    });

    after(() => neighbors?.stop());

    /** Tries to enter until the answer is like this. */
    async function entersUntil(wanted: RegExp): Promise<void> {
      for (let tries = 0; tries < mostTries; tries++) {
        guest.sends(`<presence to="${room}/guest"><x xmlns="${muc}"/></presence>`);
        if (wanted.test(await untilLine(guest, /^\+guest .*110|^error/))) return;
      }
      expect.fail(`no answer was like ${wanted}`);
    }
    const [inside, refused] = [/^\+guest/, /^error forbidden/];

    it('and removes users of a domain from its rooms when the domain is published', async () => {
      await joins(guest, room);
      await list.publish();
      await untilLine(guest, /^-guest .* 307/);
      await entersUntil(refused);
    });

    it('and lets them in again when it is retracted', async () => {
      await list.retract();
      await entersUntil(inside);
    });

    if (!restarts) return;

    it(`also after ${kind.name} has crashed`, async () => {
      const { peer } = neighbors;
      guest.sends(`<presence to="${room}/guest" type="unavailable"/>`);
      await untilLine(guest, /^-guest /);
      await peer.restarts();
      [list.keeper, guest] = [await peer.connects(), await peer.connects()];
      await peer.logsIn(list.keeper, keeperOfNodes);
      await peer.logsIn(guest, 'tybalt');
      await list.publish();
      await entersUntil(refused);
    });

    it('also after a restart of Ampere, which still knows the entries', async () => {
      const { ampere } = neighbors;
      await ampere.halt();
      const followed = ampere.log.hears('a block list is followed');
      await ampere.start();
      await creates(await ampere.logsIn('romeo'), room);
      guest.sends(`<presence to="${room}/guest"><x xmlns="${muc}"/></presence>`);
      await untilLine(guest, refused);
      await followed;
      await list.retract();
      await entersUntil(inside);
    });
  });
}
