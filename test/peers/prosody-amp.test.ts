import type { TestClient } from '../support/test-client.ts';
import { needsPackages } from './needs-packages.ts';
import { Neighbors } from './neighbors.ts';
import { printsIfFailed } from './prints-if-failed.ts';
import { prosody } from './prosody.ts';
import { seek } from './seek.ts';

const amp = 'http://jabber.org/protocol/amp';
const rule = '<rule action="notify" condition="deliver" value="stored"/>';
const body = '<body>Wherefore?</body>';

describe('Prosody, the next server, which does not know AMP (XEP-0079 §2.2.4)', () => {
  needsPackages(prosody.packages);
  let neighbors: Neighbors | undefined;
  printsIfFailed(() => neighbors?.said);
  let romeo: TestClient;
  let juliet: TestClient;

  async function starts(policy?: 'strip' | 'forward'): Promise<void> {
    const settings = policy && { amp: { remoteUnsupported: { policy } } };
    neighbors = await Neighbors.start(prosody, { way: 'certificate', bidi: false, ...(settings && { settings }) });
    romeo = await neighbors.ampere.arrives('romeo');
    juliet = await neighbors.peer.arrives('juliet');
    romeo.sends(
      `<message to="${juliet.bare}" type="chat" id="m1">${body}<amp xmlns="${amp}">${rule}</amp></message>`,
      `<message to="${juliet.bare}" type="chat" id="m2">${body}</message>`,
    );
  }

  afterEach(async () => {
    await neighbors?.stop();
    neighbors = undefined;
  });

  it('gets nothing, and the sender is told so (§6.2.4)', async () => {
    await starts();
    await romeo.receives(
      `<message from="ampere.example" to="${romeo.jid}" type="error" id="m1"><amp xmlns="${amp}">${rule}</amp>` +
        '<error type="cancel" code="503"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>',
    );
    await comesFirst(juliet, 'm2', body);
  });

  it('gets it without its rules if the operator says so', async () => {
    await starts('strip');
    await comesFirst(juliet, 'm1', body);
    await romeo.receivesNothing();
  });

  it('gets it with its rules if the operator says so', async () => {
    await starts('forward');
    await comesFirst(juliet, 'm1', `${body}<amp xmlns="${amp}" from="${romeo.jid}" to="${juliet.bare}">${rule}</amp>`);
    await romeo.receivesNothing();
  });

  /** The first message is this one, with nothing besides. */
  async function comesFirst(client: TestClient, id: string, content: string): Promise<void> {
    await seek(client, '<presence>...</presence>');
    await client.receives(
      `<message from="${romeo.jid}" to="${juliet.bare}" type="chat" id="${id}">${content}</message>`,
    );
  }
});
