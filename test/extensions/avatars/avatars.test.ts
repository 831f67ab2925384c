import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { avatars } from '../../../src/extensions/avatars/avatars.ts';
import { vcard } from '../../../src/extensions/vcard.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
import { answersDisco, comesOnline, form, get, notified, ownerSet, pepBench, set, settled } from '../pep/pep-bench.ts';

const dataNode = 'urn:xmpp:avatar:data';
const metadataNode = 'urn:xmpp:avatar:metadata';

/** Something that begins as an image of a type does. */
const image = (text: string, start = '89504e470d0a1a0a') =>
  Buffer.concat([Buffer.from(start, 'hex'), Buffer.from(text)]);
const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');
const base64 = (bytes: Buffer) => bytes.toString('base64');

describe('avatars (XEP-0084, XEP-0153, XEP-0398)', () => {
  const bench = pepBench({
    more: (deps, nodes) => {
      const parts = avatars({ ...deps, nodes });
      return [parts.extension, vcard({ store: deps.storage.vcards, photos: parts.photos })];
    },
  });
  const [one, two] = [image('one'), image('two')];

  const publishData = (session: StubSession, bytes: Buffer, options?: Record<string, string>) => {
    const chosen = options ? `<publish-options>${form('publish-options', options)}</publish-options>` : '';
    const item = `<item id='${sha1(bytes)}'><data xmlns='${dataNode}'>${base64(bytes)}</data></item>`;
    return bench.asks(session, set(`<publish node='${dataNode}'>${item}</publish>${chosen}`));
  };
  const publishMetadata = (session: StubSession, infos: string, options?: Record<string, string>) => {
    const chosen = options ? `<publish-options>${form('publish-options', options)}</publish-options>` : '';
    const item = `<item id='m'><metadata xmlns='${metadataNode}'>${infos}</metadata></item>`;
    return bench.asks(session, set(`<publish node='${metadataNode}'>${item}</publish>${chosen}`));
  };
  const info = (bytes: Buffer) => `<info id='${sha1(bytes)}' bytes='${bytes.length}' type='image/png'/>`;
  const publishAvatar = async (session: StubSession, bytes: Buffer, options?: Record<string, string>) => {
    await publishData(session, bytes, options);
    await publishMetadata(session, info(bytes), options);
    await settled();
  };
  const card = (content: string) => `<vCard xmlns='vcard-temp'>${content}</vCard>`;
  const photo = (bytes: Buffer, type = 'image/png') =>
    `<PHOTO><TYPE>${type}</TYPE><BINVAL>${base64(bytes)}</BINVAL></PHOTO>`;
  const setCard = (session: StubSession, content: string) =>
    bench.asks(session, `<iq type='set' id='v'>${card(content)}</iq>`);
  const cardOf = async (session: StubSession, to = '') =>
    (await bench.asks(session, `<iq type='get' id='v' ${to && `to='${to}'`}>${card('')}</iq>`))[0];
  const metadataOf = async (session: StubSession) =>
    /<metadata.*<\/metadata>|<metadata[^>]*\/>/.exec(
      (await bench.asks(session, get(`<items node='${metadataNode}'/>`)))[0] ?? '',
    )?.[0];

  /** Two contacts, both available. */
  async function contacts(): Promise<{ juliet: StubSession; romeo: StubSession }> {
    const [juliet, romeo] = [await bench.user(), await bench.user('romeo')];
    await bench.befriend(juliet.account, romeo.account);
    for (const session of [juliet, romeo]) await bench.does(session, '<presence/>');
    romeo.taken();
    return { juliet, romeo };
  }

  /** The updates in the presence that a session has got since; `none` for presence without one. */
  function updates(session: StubSession): string[] {
    const presences = session.taken().filter((text) => text.startsWith('<presence'));
    return presences.map((text) => /<x xmlns="vcard-temp:x:update"(?:\/>|>.*?<\/x>)/.exec(text)?.[0] ?? 'none');
  }
  const update = (hash: string) => `<x xmlns="vcard-temp:x:update"><photo>${hash}</photo></x>`;
  const emptyUpdate = '<x xmlns="vcard-temp:x:update"><photo/></x>';

  describe('published as items', () => {
    it('are the photo of the vCard, also without any other vCard (XEP-0398 §3.1)', async () => {
      const { juliet, romeo } = await contacts();
      await publishAvatar(juliet, one);
      expect(await cardOf(juliet)).to.contain(`<vCard xmlns="vcard-temp">${photo(one)}</vCard>`);
      await setCard(juliet, `<FN>Juliet</FN>${photo(one)}`);
      await publishAvatar(juliet, two);
      const expected = `<vCard xmlns="vcard-temp"><FN>Juliet</FN>${photo(two)}</vCard>`;
      for (const session of [juliet, romeo]) expect(await cardOf(session, juliet.account.key)).to.contain(expected);
    });

    it('are shown in the vCard to those only who may read both nodes', async () => {
      const { juliet, romeo } = await contacts();
      const eve = await bench.user('eve');
      const to = juliet.account.key;
      await publishAvatar(juliet, one);
      expect(await cardOf(eve, to)).to.match(errorText('cancel', 'service-unavailable'));
      const configure = (node: string, model: string) =>
        bench.does(
          juliet,
          ownerSet(`<configure node='${node}'>${form('node_config', { access_model: model })}</configure>`),
        );
      await configure(metadataNode, 'open');
      expect(await cardOf(eve, to)).to.match(errorText('cancel', 'service-unavailable'));
      await configure(dataNode, 'open');
      expect(await cardOf(eve, to)).to.contain(photo(one));
      await configure(dataNode, 'whitelist');
      expect(await cardOf(romeo, to)).to.match(errorText('cancel', 'service-unavailable'));
    });

    it('of an image on another server, or of another image than the metadata says, are no photo', async () => {
      const { juliet, romeo } = await contacts();
      await publishMetadata(juliet, info(one).replace('/>', ` url='https://a.example/i.png'/>`));
      await settled();
      expect(updates(romeo)).to.deep.equal([]);
      await publishMetadata(juliet, `${info(two).replace('/>', ` url='https://a.example/i.png'/>`)}${info(one)}`);
      await settled();
      expect(updates(romeo)).to.deep.equal([update(sha1(one))]);
      expect(await cardOf(juliet)).to.match(errorText('cancel', 'item-not-found'));
      const forged = `<item id='${sha1(one)}'><data xmlns='${dataNode}'>${base64(two)}</data></item>`;
      await bench.does(juliet, set(`<publish node='${dataNode}'>${forged}</publish>`));
      expect(await cardOf(juliet)).to.match(errorText('cancel', 'item-not-found'));
    });
  });

  describe('stored in a vCard', () => {
    it('are items, with the type that the image has (XEP-0398 §3.2)', async () => {
      const { juliet, romeo } = await contacts();
      await comesOnline(bench, romeo, metadataNode);
      const gif = image('moving', '474946383961');
      await setCard(juliet, `<FN>Juliet</FN>${photo(gif, 'image/jpeg').replace('<BINVAL>', '<BINVAL>\n  ')}`);
      await answersDisco(bench, romeo, [metadataNode]);
      expect(await metadataOf(juliet)).to.equal(
        `<metadata xmlns="${metadataNode}"><info id="${sha1(gif)}" bytes="${gif.length}" type="image/gif"/></metadata>`,
      );
      const [data] = await bench.asks(romeo, get(`<items node='${dataNode}'/>`, juliet.account.key));
      expect(data).to.contain(`<item id="${sha1(gif)}"><data xmlns="${dataNode}">${base64(gif)}</data></item>`);
      expect(await bench.storage.vcards.get(juliet.account.key)).to.equal(
        '<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>',
      );
    });

    it('tell contacts once, and the same photo again nobody', async () => {
      const { juliet, romeo } = await contacts();
      await comesOnline(bench, romeo, metadataNode);
      await setCard(juliet, photo(one));
      await answersDisco(bench, romeo, [metadataNode]);
      expect(notified(romeo)).to.deep.equal([`headline juliet ${metadataNode} item ${sha1(one)}`]);
      await setCard(juliet, `<FN>Juliet</FN>${photo(one)}`);
      await settled();
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('are for everybody, as vCards are, unless the nodes exist', async () => {
      const [juliet, nurse, eve] = [await bench.user(), await bench.user('nurse'), await bench.user('eve')];
      await setCard(juliet, photo(one));
      expect(await cardOf(eve, juliet.account.key)).to.contain(photo(one));
      await publishAvatar(nurse, one, { access_model: 'whitelist' });
      await setCard(nurse, photo(two));
      expect(await cardOf(nurse)).to.contain(photo(two));
      expect(await cardOf(eve, nurse.account.key)).to.contain('<vCard xmlns="vcard-temp"/>');
    });

    it('are removed with the photo; an address of a photo changes nothing', async () => {
      const { juliet, romeo } = await contacts();
      await setCard(juliet, photo(one));
      await settled();
      expect(updates(romeo)).to.deep.equal([update(sha1(one))]);
      const address = '<PHOTO><EXTVAL>https://a.example/i.png</EXTVAL></PHOTO>';
      await setCard(juliet, address);
      await settled();
      expect(updates(romeo)).to.deep.equal([]);
      await setCard(juliet, '<PHOTO><BINVAL/></PHOTO>');
      await settled();
      expect(await metadataOf(juliet)).to.equal(`<metadata xmlns="${metadataNode}"/>`);
      expect(updates(romeo)).to.deep.equal([emptyUpdate]);
      expect(await cardOf(juliet)).to.contain('<vCard xmlns="vcard-temp"/>');
    });

    it('before this server knew avatars are avatars when the account is loaded, once', async () => {
      const juliet = await bench.user();
      const { key, jid } = juliet.account;
      await bench.storage.vcards.set(key, card(`<FN>Juliet</FN>${photo(one)}`).replaceAll("'", '"'));
      bench.rebuild();
      const account = await bench.routing.accounts.get(jid);
      const again = account && (await bench.session(account, 'again'));
      if (!again) throw new Error('the account is not there');
      expect(await cardOf(again)).to.contain(`<FN>Juliet</FN>${photo(one)}`);
      await settled();
      expect(await bench.storage.vcards.getWithImage(key)).to.equal(undefined);
      expect(await metadataOf(again)).to.contain(sha1(one));
      await bench.does(again, '<presence/>');
      expect(String(again.presence.available)).to.contain(update(sha1(one)));
    });
  });

  describe('in presence (XEP-0153 §4.1, XEP-0398 §4)', () => {
    const claims: readonly (readonly [string, string, string])[] = [
      ['without an update', '', update(sha1(one))],
      ['with an empty update', '<x xmlns="vcard-temp:x:update"/>', update(sha1(one))],
      ['with an empty photo', emptyUpdate, emptyUpdate],
      ['with the hash', update(sha1(one).toUpperCase()), update(sha1(one).toUpperCase())],
      ['with another hash', update(sha1(two)), update(sha1(one))],
    ];
    for (const [title, sent, seen] of claims) {
      it(`${title}: ${seen === sent ? 'left alone' : 'has the hash'}, broadcast, directed and asked for`, async () => {
        const { juliet, romeo } = await contacts();
        await publishAvatar(juliet, one);
        const eve = await bench.user('eve');
        romeo.taken();
        await bench.does(juliet, `<presence><show>away</show>${sent}</presence>`);
        expect(updates(romeo)).to.deep.equal([seen]);
        await bench.does(juliet, `<presence to='${eve.account.key}/home'>${sent}</presence>`);
        expect(updates(eve)).to.deep.equal([seen]);
        await bench.does(romeo, `<presence to='${juliet.account.key}' type='probe'/>`);
        expect(updates(romeo)).to.deep.equal([seen]);
      });
    }

    it('say nothing before anybody has set one: unknown is not none', async () => {
      const { juliet, romeo } = await contacts();
      await setCard(juliet, '<FN>Juliet</FN>');
      await settled();
      for (const sent of ['', '<x xmlns="vcard-temp:x:update"/>', update(sha1(two))]) {
        await bench.does(juliet, `<presence>${sent}</presence>`);
        expect(updates(romeo)).to.deep.equal([sent || 'none']);
      }
    });

    it('follow a change in every session, and what a client has said about it stays', async () => {
      const { juliet, romeo } = await contacts();
      const silent = await bench.session(juliet.account, 'silent', `<presence>${emptyUpdate}</presence>`);
      romeo.taken();
      await publishAvatar(juliet, one);
      expect(updates(romeo).sort()).to.deep.equal([emptyUpdate, update(sha1(one))].sort());
      await publishMetadata(juliet, '');
      await settled();
      expect(updates(romeo)).to.deep.equal([emptyUpdate, emptyUpdate]);
      await publishAvatar(juliet, two);
      expect(updates(romeo).sort()).to.deep.equal([emptyUpdate, update(sha1(two))].sort());
      expect(String(silent.presence.available)).to.contain(emptyUpdate);
    });

    it('survive a restart of the server', async () => {
      const { juliet } = await contacts();
      await publishAvatar(juliet, one);
      bench.rebuild();
      const account = await bench.routing.accounts.get(juliet.account.jid);
      const again = account && (await bench.session(account, 'again', '<presence/>'));
      expect(String(again?.presence.available)).to.contain(update(sha1(one)));
    });

    it('are none when the node is deleted', async () => {
      const { juliet, romeo } = await contacts();
      await publishAvatar(juliet, one);
      romeo.taken();
      await bench.does(juliet, ownerSet(`<delete node='${metadataNode}'/>`));
      await settled();
      expect(updates(romeo)).to.deep.equal([emptyUpdate]);
    });
  });
});
