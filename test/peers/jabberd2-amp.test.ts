import type { TestClient } from '../support/test-client.ts';
import { befriend } from './federates.ts';
import { jabberd2 } from './jabberd2.ts';
import { needsPackages } from './needs-packages.ts';
import { Neighbors } from './neighbors.ts';
import { printsIfFailed } from './prints-if-failed.ts';
import { seek } from './seek.ts';

const amp = 'http://jabber.org/protocol/amp';
const discoInfo = 'http://jabber.org/protocol/disco#info';

function rule(action: string, value: string): string {
  return `<rule action="${action}" condition="deliver" value="${value}"/>`;
}

describe('jabberd2, the next server, which knows AMP (XEP-0079 §2.2.4)', () => {
  needsPackages(jabberd2.packages);
  let neighbors: Neighbors | undefined;
  printsIfFailed(() => neighbors?.said);
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    neighbors = await Neighbors.start(jabberd2, { way: 'dialback', bidi: false });
    romeo = await neighbors.ampere.arrives('romeo');
    juliet = await neighbors.peer.arrives('juliet');
    await befriend(romeo, juliet);
  });

  after(async () => {
    await neighbors?.stop();
  });

  function sends(from: TestClient, to: TestClient, id: string, written: string): void {
    const rules = `<amp xmlns="${amp}">${written}</amp>`;
    from.sends(`<message to="${to.bare}" type="chat" id="${id}"><body>${id}</body>${rules}</message>`);
  }

  /** What it was for has it, with the rules, which say whose they are. */
  function comes(to: TestClient, from: TestClient, id: string, written: string): Promise<void> {
    const rules = `<amp xmlns="${amp}" from="${from.jid}" to="${to.bare}">${written}</amp>`;
    return seek(
      to,
      `<message from="${from.jid}" to="*" type="chat" id="${id}"><body>${id}</body>${rules}...</message>`,
    );
  }

  function told(
    whom: TestClient,
    of: TestClient,
    by: string,
    id: string,
    status: string,
    written: string,
  ): Promise<void> {
    const rules = `<amp xmlns="${amp}" status="${status}" from="${whom.jid}" to="${of.bare}">${written}</amp>`;
    return seek(whom, `<message from="${by}" to="${whom.jid}" id="${id}" type="{none}">${rules}</message>`);
  }

  it('says so when it is asked, as Ampere does (§5)', async () => {
    for (const [client, domain] of [
      [romeo, 'jabberd2.example'],
      [juliet, 'ampere.example'],
    ] as const) {
      client.sends(`<iq type="get" id="d1" to="${domain}"><query xmlns="${discoInfo}"/></iq>`);
      const query = `<query xmlns="${discoInfo}"><feature var="${amp}"/>...</query>`;
      await seek(client, `<iq type="result" from="${domain}" to="*" id="d1">${query}</iq>`);
    }
  });

  it('judges what is for its users: delivered, and stopped', async () => {
    sends(romeo, juliet, 'j1', rule('notify', 'direct'));
    await comes(juliet, romeo, 'j1', rule('notify', 'direct'));
    await told(romeo, juliet, juliet.bare, 'j1', 'notify', rule('notify', 'direct'));
    sends(romeo, juliet, 'j2', rule('alert', 'direct'));
    await told(romeo, juliet, juliet.bare, 'j2', 'alert', rule('alert', 'direct'));
    await reaches(juliet, romeo, 'j2');
  });

  it('has what it sends judged by Ampere: delivered, and stopped', async () => {
    sends(juliet, romeo, 'a1', rule('notify', 'direct'));
    await comes(romeo, juliet, 'a1', rule('notify', 'direct'));
    await told(juliet, romeo, 'ampere.example', 'a1', 'notify', rule('notify', 'direct'));
    sends(juliet, romeo, 'a2', rule('alert', 'direct'));
    await told(juliet, romeo, 'ampere.example', 'a2', 'alert', rule('alert', 'direct'));
    sends(juliet, romeo, 'a3', rule('error', 'direct'));
    const failed = `<failed-rules xmlns="${amp}#errors">${rule('error', 'direct')}</failed-rules>`;
    const error = `<error type="modify" code="500">${failed}...</error>`;
    await seek(juliet, `<message from="ampere.example" to="*" type="error" id="a3">${error}...</message>`);
    await reaches(romeo, juliet, 'a');
  });

  it('stores what is for its users who are away, and says so', async () => {
    juliet.sends('<presence type="unavailable"/>');
    await seek(romeo, `<presence from="${juliet.jid}" to="*" type="unavailable">...</presence>`);
    sends(romeo, juliet, 's1', rule('notify', 'stored'));
    // Its report names another value than the rule has.
    await told(romeo, juliet, juliet.bare, 's1', 'notify', rule('notify', '*'));
    juliet.sends('<presence/>');
    await comes(juliet, romeo, 's1', rule('notify', 'stored'));
  });

  it('is told when Ampere has stored what its users send', async () => {
    romeo.sends('<presence type="unavailable"/>');
    await seek(juliet, `<presence from="${romeo.jid}" to="*" type="unavailable">...</presence>`);
    sends(juliet, romeo, 's2', rule('notify', 'stored'));
    await told(juliet, romeo, 'ampere.example', 's2', 'notify', rule('notify', 'stored'));
    romeo.sends('<presence/>');
    await comes(romeo, juliet, 's2', rule('notify', 'stored'));
  });

  /** The next message is one that is sent now: what was stopped before has not come. */
  async function reaches(to: TestClient, from: TestClient, stopped: string): Promise<void> {
    from.sends(`<message to="${to.bare}" type="chat" id="after-${stopped}"><body>x</body></message>`);
    await to.receives(`<message from="${from.jid}" to="*" type="chat" id="after-${stopped}"><body>x</body></message>`);
  }
});
