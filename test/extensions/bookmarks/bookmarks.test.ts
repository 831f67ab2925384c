import { expect } from 'chai';
import { bookmarks } from '../../../src/extensions/bookmarks/bookmarks.ts';
import { privateXml } from '../../../src/extensions/private-xml.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
import {
  answersDisco,
  comesOnline,
  form,
  get,
  notified,
  ownerSet,
  pepBench,
  publish,
  set,
  settled,
} from '../pep/pep-bench.ts';

const native = 'urn:xmpp:bookmarks:1';
const legacy = 'storage:bookmarks';
const room = 'theplay@conference.shakespeare.example';
const other = 'orchard@conference.shakespeare.example';

describe('bookmarks in three forms (XEP-0402 §5.3, XEP-0411, XEP-0048)', () => {
  const bench = pepBench({
    more: (deps, nodes) => {
      const parts = bookmarks({ ...deps, nodes, store: deps.storage.privateXml });
      return [parts.extension, privateXml(parts.privateXml)];
    },
  });

  const storage = (content: string) => `<storage xmlns='${legacy}'>${content}</storage>`;
  const setPrivate = (session: StubSession, content: string) =>
    bench.asks(session, `<iq type='set' id='p'><query xmlns='jabber:iq:private'>${storage(content)}</query></iq>`);
  const setPep = (session: StubSession, content: string, id = 'current', options?: Record<string, string>) => {
    const chosen = options && `<publish-options>${form('publish-options', options)}</publish-options>`;
    const item = `<publish node='${legacy}'><item id='${id}'>${storage(content)}</item></publish>`;
    return bench.asks(session, set(`${item}${chosen ?? ''}`));
  };
  const publishNative = (session: StubSession, id: string, attributes: string, content = '') =>
    bench.asks(
      session,
      set(
        `<publish node='${native}'><item id='${id}'>
           <conference xmlns='${native}' ${attributes}>${content}</conference></item></publish>`,
      ),
    );
  const retractNative = (session: StubSession, id: string) =>
    bench.asks(session, set(`<retract node='${native}' notify='true'><item id='${id}'/></retract>`));

  const inside = (text: string | undefined, name: string) =>
    new RegExp(`<${name}\\b[^>]*>(.*)</${name}>`).exec(text ?? '')?.[1];
  const privateOf = async (session: StubSession) => {
    const [answer] = await bench.asks(
      session,
      `<iq type='get' id='p'><query xmlns='jabber:iq:private'><storage xmlns='${legacy}'/></query></iq>`,
    );
    return inside(answer, 'storage');
  };
  const pepOf = async (session: StubSession) =>
    inside((await bench.asks(session, get(`<items node='${legacy}' max_items='1'/>`)))[0], 'storage');
  const nativeOf = async (session: StubSession) => {
    const [answer = ''] = await bench.asks(session, get(`<items node='${native}'/>`));
    return Array.from(answer.matchAll(/<item id="([^"]*)">(.*?)<\/item>/g), ([, id, payload]) => `${id} ${payload}`);
  };

  /** A user with a device that uses bookmarks and one that wants to hear of everything. */
  async function devices(): Promise<{ desk: StubSession; phone: StubSession }> {
    const account = await bench.account();
    const [desk, phone] = [await bench.session(account, 'desk'), await bench.session(account, 'phone')];
    await comesOnline(bench, phone, native, legacy);
    return { desk, phone };
  }

  /** The events that a device has got, after everything has ended. */
  async function events(session: StubSession): Promise<string[]> {
    await answersDisco(bench, session, [native, legacy]);
    await settled();
    return notified(session).map((event) => event.replace('headline juliet ', ''));
  }

  it('are announced on the account', async () => {
    const juliet = await bench.user();
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
    const [answer] = await bench.asks(juliet, `<iq type='get' id='d' to='${juliet.account.key}'>${query}</iq>`);
    for (const feature of [`${native}#compat`, `${native}#compat-pep`, 'urn:xmpp:bookmarks-conversion:0'])
      expect(answer).to.contain(`<feature var="${feature}"/>`);
  });

  it('published natively are seen in both old forms, and heard of in one event of each node', async () => {
    const { desk, phone } = await devices();
    await publishNative(desk, room, `name='The Play' autojoin='1'`, '<nick>JC</nick><password>x</password>');
    const shown = `<conference jid="${room}" name="The Play" autojoin="true"><nick>JC</nick><password>x</password></conference>`;
    expect(await privateOf(desk)).to.equal(shown);
    expect(await pepOf(desk)).to.equal(shown);
    expect(await events(phone)).to.deep.equal([`${native} item ${room}`, `${legacy} item current`]);
    await retractNative(desk, room);
    expect(await privateOf(desk)).to.equal(undefined);
    expect(await events(phone)).to.deep.equal([`${native} retract ${room}`, `${legacy} item current`]);
  });

  for (const [form, write] of [
    ['private XML', setPrivate],
    ['a PEP item', setPep],
  ] as const) {
    it(`stored as ${form} are items, and only what differs is told (XEP-0402 §5.3.2)`, async () => {
      const { desk, phone } = await devices();
      const [one, two] = [
        `<conference jid='${room}' name='The Play'/>`,
        `<conference jid='${other}' autojoin='true'/>`,
      ];
      expect((await write(desk, one + two))[0]).to.contain('type="result"');
      expect(await nativeOf(desk)).to.deep.equal([
        `${room} <conference xmlns="${native}" name="The Play"/>`,
        `${other} <conference xmlns="${native}" autojoin="true"/>`,
      ]);
      expect(await events(phone)).to.deep.equal([
        `${native} item ${room}`,
        `${native} item ${other}`,
        `${legacy} item current`,
      ]);
      await write(desk, two + one);
      expect(await events(phone)).to.deep.equal([]);
      await write(desk, `${one.replace('Play', 'Farce')}`);
      expect(await nativeOf(desk)).to.deep.equal([`${room} <conference xmlns="${native}" name="The Farce"/>`]);
      expect(await events(phone)).to.deep.equal([
        `${native} item ${room}`,
        `${native} retract ${other}`,
        `${legacy} item current`,
      ]);
    });
  }

  it('keep extensions and unknown elements that an old client has dropped', async () => {
    const juliet = await bench.user();
    const extensions = `<extensions><state xmlns='urn:client' minimized='true'/></extensions><odd xmlns='urn:odd'/>`;
    await publishNative(juliet, room, `name='The Play'`, extensions);
    await setPrivate(juliet, `<conference jid='${room}' name='The Farce'/>`);
    expect(await nativeOf(juliet)).to.deep.equal([
      `${room} <conference xmlns="${native}" name="The Farce"><extensions><state xmlns="urn:client" minimized="true"/></extensions>` +
        '<odd xmlns="urn:odd"/></conference>',
    ]);
  });

  it('take over elements that an old client adds, such as those of Gajim, in the namespace they have', async () => {
    const { desk, phone } = await devices();
    const minimized = (yes: boolean) =>
      `<conference jid='${room}'><minimize xmlns='xmpp:gajim.org/bookmarks'>${yes}</minimize></conference>`;
    await setPrivate(desk, minimized(false));
    await setPrivate(desk, minimized(true));
    expect(await nativeOf(desk)).to.deep.equal([
      `${room} <conference xmlns="${native}"><minimize xmlns="xmpp:gajim.org/bookmarks">true</minimize></conference>`,
    ]);
    await events(phone);
    await setPrivate(desk, minimized(true));
    expect(await events(phone)).to.deep.equal([]);
  });

  it('leave what they cannot express where it was: URLs, and rooms with an invalid address', async () => {
    const { desk, phone } = await devices();
    const rest = `<url name='Works' url='https://plays.example'/><conference jid='a b@c d'/><conference jid='${room}/nick'/>`;
    await setPrivate(desk, `${rest}<conference jid='${room}'/>`);
    await events(phone);
    expect(await nativeOf(desk)).to.have.length(1);
    await publishNative(desk, other, `name='Orchard'`);
    const shown = await pepOf(desk);
    for (const part of ['<url name="Works"', 'jid="a b@c d"', `jid="${room}/nick"`, `jid="${room}"`, `jid="${other}"`])
      expect(shown).to.contain(part);
    await events(phone);
    await setPrivate(desk, `<conference jid='${room}'/><conference jid='${other}' name='Orchard'/>`);
    expect(await pepOf(desk)).not.to.contain('url');
    expect(await events(phone)).to.deep.equal([`${legacy} item current`]);
  });

  it('of one room are the same however its address is written', async () => {
    const { desk, phone } = await devices();
    await publishNative(desk, room.toUpperCase(), `name='The Play'`);
    await events(phone);
    const twice = `<conference jid='TheplaY@conference.shakespeare.EXAMPLE' name='The Play'/><conference jid='${room}'/>`;
    await setPrivate(desk, twice);
    expect(await events(phone)).to.deep.equal([]);
    await setPrivate(desk, '');
    expect(await nativeOf(desk)).to.deep.equal([]);
  });

  it('skip items that are no bookmarks, and never remove them', async () => {
    const juliet = await bench.user();
    await bench.does(juliet, publish(native, 'no room at all'));
    await bench.does(juliet, publish(native, room));
    expect(await privateOf(juliet)).to.equal(undefined);
    await setPrivate(juliet, `<conference jid='${other}'/>`);
    expect(await nativeOf(juliet)).to.have.length(3);
  });

  it('are nobody else’s, in every form', async () => {
    const [juliet, romeo] = [await bench.user(), await bench.user('romeo')];
    await bench.befriend(juliet.account, romeo.account);
    await comesOnline(bench, romeo, native, legacy);
    await setPep(juliet, `<conference jid='${room}'/>`);
    for (const node of [native, legacy]) {
      const [answer] = await bench.asks(romeo, get(`<items node='${node}'/>`, juliet.account.key));
      expect(answer).to.contain('<closed-node ');
    }
    expect(await events(romeo)).to.deep.equal([]);
    const stranger = await bench.user('eve');
    const [answer] = await bench.asks(stranger, get(`<items node='${legacy}'/>`, juliet.account.key));
    expect(answer).to.match(errorText('cancel', 'service-unavailable'));
  });

  it('in the old PEP node obey the options that keep them private, and no others', async () => {
    const juliet = await bench.user();
    const options = { access_model: 'whitelist', persist_items: 'true', max_items: '1' };
    expect((await setPep(juliet, '', 'any', options))[0]).to.contain('<item id="current"/>');
    expect((await setPep(juliet, '', 'any', { access_model: 'open' }))[0]).to.contain('<precondition-not-met ');
    const [invalid] = await bench.asks(juliet, publish(legacy, 'current'));
    expect(invalid).to.contain('<invalid-payload ');
  });

  it('are not lost by a request about the old PEP node as a whole', async () => {
    const juliet = await bench.user();
    await publishNative(juliet, room, '');
    for (const request of [
      set(`<retract node='${legacy}'><item id='current'/></retract>`),
      set(`<subscribe node='${legacy}' jid='${juliet.account.key}'/>`),
      ownerSet(`<purge node='${legacy}'/>`),
      ownerSet(`<delete node='${legacy}'/>`),
      ownerSet(`<configure node='${legacy}'>${form('node_config', { access_model: 'whitelist' })}</configure>`),
    ])
      expect((await bench.asks(juliet, request))[0], request).to.match(errorText('cancel', 'not-allowed'));
    expect((await bench.asks(juliet, set(`<create node='${legacy}'/>`)))[0]).to.match(errorText('cancel', 'conflict'));
    expect(await pepOf(juliet)).to.contain(room);
  });

  it('leave the rest of private XML alone', async () => {
    const juliet = await bench.user();
    const query = (type: string, content: string) =>
      `<iq type='${type}' id='p'><query xmlns='jabber:iq:private'>${content}</query></iq>`;
    await bench.does(juliet, query('set', `<storage xmlns='storage:rosternotes'><note jid='a@b'/></storage>`));
    const [answer] = await bench.asks(juliet, query('get', `<storage xmlns='storage:rosternotes'/>`));
    expect(answer).to.contain('<note jid="a@b"/>');
  });

  it('that were stored before are items when the account is loaded (XEP-0411 §4), once', async () => {
    const juliet = await bench.user();
    const { key, jid } = juliet.account;
    await publishNative(juliet, room, `name='newer'`);
    const old = `<conference jid='${room}' name='older'/><conference jid='${other}' name='Orchard'/><url url='https://a.example'/>`;
    await bench.storage.privateXml.set(key, 'storage', legacy, storage(old), 10_000);
    bench.rebuild();
    const account = await bench.routing.accounts.get(jid);
    const again = account && (await bench.session(account, 'again'));
    if (!again) throw new Error('the account is not there');
    expect(await nativeOf(again)).to.deep.equal([
      `${room} <conference xmlns="${native}" name="newer"/>`,
      `${other} <conference xmlns="${native}" name="Orchard"/>`,
    ]);
    await settled();
    expect(await bench.storage.privateXml.get(key, 'storage', legacy)).to.equal(
      `<storage xmlns="${legacy}"><url url="https://a.example"/></storage>`,
    );
    await retractNative(again, other);
    bench.rebuild();
    const later = await bench.routing.accounts.get(jid);
    const third = later && (await bench.session(later, 'third'));
    expect(third && (await nativeOf(third))).to.have.length(1);
  });
});
