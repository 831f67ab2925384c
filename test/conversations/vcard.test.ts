import { Stage } from '../support/conversation.ts';

const get = (to?: string) => `<iq type="get"${to ? ` to="${to}"` : ''}><vCard xmlns="vcard-temp"/></iq>`;
const card =
  '<vCard xmlns="vcard-temp"><FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N></vCard>';
const refusal = (condition: string) => {
  return `<iq type="error"><error type="*"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
};

describe('vCards (XEP-0054)', () => {
  const stage = new Stage();

  it('are not there at first (XEP-0054 §3.1)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.gets(get(), refusal('item-not-found'));
  });

  it('are written by their owner and read by everybody, online or not (XEP-0054 §3.1, §3.2, §3.3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const juliet = await account.connects();
    await juliet.gets(`<iq type="set">${card}</iq>`, '<iq type="result"/>');
    await juliet.gets(get(), `<iq type="result">${card}</iq>`);
    await juliet.gets(get(juliet.bare), `<iq type="result">${card}</iq>`);
    await romeo.gets(get(juliet.bare), `<iq type="result" from="${juliet.bare}">${card}</iq>`);
    await juliet.closes();
    await romeo.gets(get(account.jid), `<iq type="result" from="${account.jid}">${card}</iq>`);
  });

  it('are replaced as a whole (XEP-0054 §3.2)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.asks(`<iq type="set">${card}</iq>`);
    await juliet.gets(
      '<iq type="set"><vCard xmlns="vcard-temp"><NICKNAME>J</NICKNAME></vCard></iq>',
      '<iq type="result"/>',
    );
    await juliet.gets(get(), '<iq type="result"><vCard xmlns="vcard-temp"><NICKNAME>J</NICKNAME></vCard></iq>');
  });

  it('are written by nobody else (XEP-0054 §3.2)', async () => {
    const { eve, juliet } = await stage.enter(['eve', 'juliet']);
    await juliet.asks(`<iq type="set">${card}</iq>`);
    await eve.gets(
      `<iq type="set" to="${juliet.bare}"><vCard xmlns="vcard-temp"><FN>Eve</FN></vCard></iq>`,
      refusal('forbidden'),
    );
    await juliet.gets(get(), `<iq type="result">${card}</iq>`);
  });

  it('keep odd characters and foreign elements (XEP-0054 §3.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const odd =
      '<vCard xmlns="vcard-temp"><FN>&lt;J&gt; &amp; "\u{1F339}"</FN><x xmlns="urn:example:x" a="&#10;"><vCard/></x></vCard>';
    await juliet.gets(`<iq type="set">${odd}</iq>`, '<iq type="result"/>');
    await romeo.gets(get(juliet.bare), `<iq type="result">${odd}</iq>`);
  });

  it('outlive the server (XEP-0054 §3.2)', async () => {
    const account = await stage.account('juliet');
    await (await account.connects()).asks(`<iq type="set">${card}</iq>`);
    await stage.server.restart();
    await (await account.connects()).gets(get(), `<iq type="result">${card}</iq>`);
  });
});
