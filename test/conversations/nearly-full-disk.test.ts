import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';

const ballastBytes = 4096;
const lookEveryMs = 5000;
const refused = (stanza: 'iq' | 'message') =>
  `<${stanza} type="error"><error type="wait"><resource-constraint xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></${stanza}>`;
const sm = 'urn:xmpp:sm:3';
const enable = `<enable xmlns="${sm}" resume="true"/>`;
const enabled = `<enabled xmlns="${sm}">...</enabled>`;
const request = `<r xmlns="${sm}"/>`;
const askAfterMs = 100;
const iqSet = (content: string) => `<iq type="set">${content}</iq>`;

describe('A disk that is nearly full (RFC 6120 §8.3.3.18)', () => {
  const clock = new ManualClock();
  let freeBytes = 1e9;
  const stage = new Stage({
    clock,
    diskSpace: () => ({ freeBytes, totalBytes: 2e9 }),
    complaint: 'the disk is nearly full',
    settings: {
      storage: { quickCheck: false, ballastBytes },
      registration: { inBand: true },
      limits: { disabled: true },
    },
  });
  const becomes = (free: number) => {
    freeBytes = free;
    clock.advance(lookEveryMs);
  };
  afterEach(() => becomes(1e9));

  for (const [what, request] of [
    ['a contact', '<query xmlns="jabber:iq:roster"><item jid="a@b.example"/></query>'],
    ['private XML', '<query xmlns="jabber:iq:private"><a xmlns="urn:b"/></query>'],
    ['a vCard', '<vCard xmlns="vcard-temp"><FN>J</FN></vCard>'],
    ['a blocked address', '<block xmlns="urn:xmpp:blocking"><item jid="a@b.example"/></block>'],
  ] as const) {
    it(`refuses ${what}, until there is room`, async () => {
      const { juliet } = await stage.enter(['juliet']);
      becomes(0);
      await juliet.gets(iqSet(request), refused('iq'));
      becomes(2 * ballastBytes);
      await juliet.gets(iqSet(request), '<iq type="result"/>');
    });
  }

  it('makes no accounts', async () => {
    becomes(0);
    const client = await stage.client();
    await client.opens();
    const fields = '<username>paris</username><password>a password</password>';
    await client.gets(iqSet(`<query xmlns="jabber:iq:register">${fields}</query>`), refused('iq'));
  });

  it('keeps no messages, but gives those that it has kept, and forgets them', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const message = (text: string) => `<message type="chat" to="${account.jid}"><body>${text}</body></message>`;
    romeo.sends(message('before'));
    await romeo.settles();
    becomes(0);
    romeo.sends(message('too late'));
    await romeo.receives(refused('message'));
    const juliet = await account.arrives();
    expect(bodies(juliet)).to.deep.equal(['before']);
    romeo.sends(message('live'));
    await juliet.receives('<message type="chat"><body>live</body>...</message>');
    await juliet.closes();
    const again = await account.arrives();
    expect(bodies(again)).to.deep.equal([]);
  });

  it('counts what it can keep no copy of when the recipient has it, and lets a sender begin anew before (XEP-0198 §4, §5)', async () => {
    const { juliet, romeo } = await stage.enter(['juliet', 'romeo']);
    juliet.sends(enable);
    await juliet.receives(enabled);
    romeo.sends(enable);
    const token = (await romeo.receives(enabled)).attributes.get('id') ?? '';
    becomes(0);
    const message = (id: string) => `<message id="${id}" to="${juliet.jid}"><body>${id}</body></message>`;
    romeo.sends(message('one'), request);
    await romeo.receives(`<a xmlns="${sm}" h="0"/>`);
    await juliet.receives('<message id="one">...</message>');
    clock.advance(askAfterMs);
    await juliet.receives(request);
    juliet.sends(`<a xmlns="${sm}" h="1"/>`);
    await romeo.receives(`<a xmlns="${sm}" h="1"/>`);

    romeo.sends(message('two'), request);
    await romeo.receives(`<a xmlns="${sm}" h="1"/>`);
    await juliet.receives('<message id="two">...</message>');
    romeo.disconnects();
    const back = await stage.client();
    await back.opens();
    const [local = ''] = romeo.bare.split('@');
    await back.authenticates({ username: local, password: `${local}-has-a-password` });
    back.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    // Each answer to Juliet says that the server has been around its loop once more.
    for (let second = 0; second < 30; second++) {
      await juliet.drains();
      clock.advance(1000);
    }
    await back.receives(`<failed xmlns="${sm}" h="1">...</failed>`);
    await back.binds();
  });

  it('lets passwords be changed and accounts be removed', async () => {
    const account = await stage.account('juliet');
    const juliet = await account.connects();
    becomes(0);
    const fields = `<username>${account.local}</username><password>a new password</password>`;
    await juliet.gets(iqSet(`<query xmlns="jabber:iq:register">${fields}</query>`), '<iq type="result"/>');
    await juliet.gets(iqSet('<query xmlns="jabber:iq:register"><remove/></query>'), '<iq type="result"/>');
  });
});

function bodies({ arrival }: TestClient): (string | undefined)[] {
  return arrival.filter(({ name }) => name === 'message').map((tree) => tree.children[0]?.text);
}
