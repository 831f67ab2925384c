import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { Workplace } from './run.ts';

/** As the plugin "User Import Export" of Openfire writes it, in its own format. */
const ownFormat = `<?xml version="1.0" encoding="UTF-8"?>

<Openfire>
  <User>
    <Username>juliet</Username>
    <Password>R0m30 &amp; &lt;me&gt;</Password>
    <Email>juliet@capulet.example</Email>
    <Name>Juliet &amp; co</Name>
    <CreationDate>1125442154664</CreationDate>
    <ModifiedDate>1125442154664</ModifiedDate>
    <Roster>
      <Item jid="romeo@localhost" askstatus="-1" recvstatus="-1" substatus="3" name="R &amp; M"><Group>Friends</Group><Group>Lovers</Group></Item>
      <Item jid="nurse@localhost" askstatus="0" recvstatus="-1" substatus="2"/>
      <Item jid="paris@localhost" askstatus="-1" recvstatus="1" substatus="0"/>
      <Item jid="mercutio@localhost" askstatus="-1" recvstatus="1" substatus="1"/>
      <Item jid="tybalt@localhost" askstatus="-1" recvstatus="-1" substatus="-1"/>
    </Roster>
  </User>
  <User><Username>romeo</Username><Password>romeo</Password><Email/><Name/><Roster/></User>
</Openfire>
`;

/** As the same plugin writes XEP-0227. */
const portable = `<?xml version="1.0" encoding="UTF-8"?>
<server-data xmlns="urn:xmpp:pie:0"><host jid="localhost">
  <user name="juliet" password="R0m30">
    <offline-messages><message xmlns="jabber:client" from="romeo@localhost/o" to="juliet@localhost" type="chat"><body>wait</body>
      <delay xmlns="urn:xmpp:delay" from="localhost" stamp="2021-03-04T05:06:07.000Z">Offline Storage</delay></message></offline-messages>
    <query xmlns="jabber:iq:roster"><item jid="romeo@localhost" name="R" subscription="both"><group/></item>
      <item jid="nurse@localhost" subscription="from" ask="subscribe"><group>Servants</group></item></query>
    <vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>
  </user>
  <user name="romeo" password="romeo"><query xmlns="jabber:iq:roster"/></user>
</host></server-data>
`;

const lostPassword = [
  { place: 'romeo@localhost', loss: 'a password that is the name of the user' },
  { place: 'romeo@localhost', loss: 'a password: nobody can log in until one is set' },
];

describe('user import from Openfire', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  async function imports(content: string, ...more: string[]) {
    workplace.write('openfire.xml', content);
    const { code, out, err } = await workplace.run(['user', 'import', 'openfire.xml', '--json', ...more]);
    return { code, err, summary: out === '' ? undefined : JSON.parse(out) };
  }

  /** What an account has. */
  async function imported(jid: string) {
    const onFatal = (error: Error) => {
      throw error;
    };
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal, quickCheck: false });
    try {
      const record = (await storage.accounts.load(jid)) ?? expect.fail(`there is no account ${jid}`);
      return {
        roster: record.roster.map(({ contact, name, groups, subscription, ask, inRoster, pendingIn }) => [
          ...[contact, name, groups.join(), subscription, ask, inRoster, pendingIn?.toString()],
        ]),
        hashes: Object.keys((await storage.accounts.credentials(jid))?.scram ?? {}),
        vcard: await storage.vcards.get(jid),
        offline: (await storage.offline.list(jid, 0, 10)).map(({ receivedAtMs }) => receivedAtMs),
      };
    } finally {
      await storage.close();
    }
  }

  it('takes accounts, rosters and requests from its own format', async () => {
    expect((await imports(ownFormat)).summary).to.deep.equal({
      ...{ created: 2, skipped: [], problems: [] },
      losses: [{ place: 'juliet@localhost', loss: '<item>: a contact with subscription -1' }, ...lostPassword],
    });
    const request = (from: string) => `<presence from="${from}@localhost" type="subscribe"/>`;
    expect(await imported('juliet@localhost')).to.deep.equal({
      roster: [
        ['mercutio@localhost', '', '', 'to', false, true, request('mercutio')],
        ['nurse@localhost', '', '', 'from', true, true, undefined],
        ['paris@localhost', '', '', 'none', false, false, request('paris')],
        ['romeo@localhost', 'R & M', 'Friends,Lovers', 'both', false, true, undefined],
      ],
      hashes: ['SHA-1', 'SHA-256', 'SHA-512'],
      vcard:
        '<vCard xmlns="vcard-temp"><FN>Juliet &amp; co</FN><EMAIL><INTERNET/><USERID>juliet@capulet.example</USERID></EMAIL></vCard>',
      offline: [],
    });
    expect((await imported('romeo@localhost')).hashes).to.deep.equal([]);
  });

  it('takes XEP-0227 that it has written', async () => {
    expect((await imports(portable)).summary).to.deep.equal({
      ...{ created: 2, skipped: [], problems: [], losses: lostPassword },
    });
    const { roster, offline, vcard } = await imported('juliet@localhost');
    expect(roster).to.deep.equal([
      ['nurse@localhost', '', 'Servants', 'from', true, true, undefined],
      ['romeo@localhost', 'R', '', 'both', false, true, undefined],
    ]);
    expect(offline).to.deep.equal([Date.UTC(2021, 2, 4, 5, 6, 7)]);
    expect(vcard).to.equal('<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>');
  });

  it('wants to know the domain, if there are several', async () => {
    workplace.configure({ authentication: { scramIterations: 4096 }, domains: ['localhost', 'here.example'] });
    expect(await imports(ownFormat)).to.include({ code: 2, summary: undefined });
    const { summary } = await imports(ownFormat, '--domain', 'here.example');
    expect(summary).to.include({ created: 2 });
    expect((await imported('juliet@here.example')).roster).to.have.length(4);
    const elsewhere = await imports(ownFormat, '--domain', 'elsewhere.example');
    expect(elsewhere.summary.problems).to.have.length(2);
  });

  it('says which line is damaged', async () => {
    const { code, err } = await imports(ownFormat.replace('</Roster>', ''));
    expect(code).to.equal(1);
    expect(err).to.match(/^ampere: openfire\.xml: line \d+: /);
  });
});
