import { befriend, Stage } from '../support/conversation.ts';
import { findTree } from '../support/xml-tree.ts';

const inactive = '<inactive xmlns="urn:xmpp:csi:0"/>';
const active = '<active xmlns="urn:xmpp:csi:0"/>';
const chatState = (name: string) => `<${name} xmlns="http://jabber.org/protocol/chatstates"/>`;

describe('Client state indication (XEP-0352)', () => {
  const stage = new Stage();

  async function sleeping() {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    juliet.sends(inactive);
    await juliet.settles();
    return { romeo, juliet };
  }

  it('is offered once one is authenticated (XEP-0352 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    if (!romeo.features || !findTree(romeo.features, 'csi')) throw new Error('not offered');
  });

  it('holds presence and chat states back, the latest of each (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>', '<presence><show>xa</show></presence>');
    romeo.sends(`<message to="${juliet.jid}" type="chat">${chatState('composing')}</message>`);
    await romeo.drains();
    // Only what is asked for comes: the answer to the ping lets the rest go first.
    juliet.sends(active);
    await juliet.receivesInAnyOrder(
      `<presence from="${romeo.jid}"><show>xa</show></presence>`,
      `<message from="${romeo.jid}">${chatState('composing')}</message>`,
    );
    await juliet.receivesNothing();
  });

  it('lets messages through, behind what was held back (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>');
    romeo.sends(`<message to="${juliet.bare}" type="chat"><body>wake up</body></message>`);
    await juliet.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    await juliet.receives('<message><body>wake up</body></message>');
    await juliet.receivesNothing();
  });

  it('ends with what was held back (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>');
    await romeo.drains();
    juliet.sends(active);
    await juliet.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    romeo.sends('<presence/>');
    await juliet.receives(`<presence from="${romeo.jid}"/>`);
  });

  it('said twice is said once (XEP-0352 §4)', async () => {
    const { romeo, juliet } = await sleeping();
    juliet.sends(inactive, active, active);
    await juliet.receivesNothing();
    romeo.sends('<presence/>');
    await juliet.receives(`<presence from="${romeo.jid}"/>`);
  });
});
