import { mkdirSync } from 'node:fs';
import { expect } from 'chai';
import { StoredCredentials } from '../../src/c2s/negotiation/sasl/credential-source.ts';
import { verifyPassword } from '../../src/c2s/negotiation/sasl/verify-password.ts';
import { importUsers } from '../../src/cli/import/import-users.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { timeOfId } from '../../src/storage/ordered-ids.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

/** What bcryptjs makes of "pencil" with four rounds. */
const pencilHash = '$2b$04$3koGuD.kY/1GTivXFO1v.uaO5Fz8ET5xhVp8snKJpKyCE0Y/6ReBS';

async function stored<T>(workplace: Workplace, look: (storage: Storage) => Promise<T>): Promise<T> {
  const onFatal = (error: Error) => {
    throw error;
  };
  const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal });
  try {
    return await look(storage);
  } finally {
    await storage.close();
  }
}

async function accepts(storage: Storage, jid: string, password: string): Promise<boolean> {
  const source = new StoredCredentials(storage.accounts, Buffer.alloc(32), { scramIterations: 4096 });
  return (await verifyPassword(source, Jid.parse(jid), password)) !== undefined;
}

describe('user import of lines', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure({}));

  const importText = async (text: string | Buffer, ...options: string[]) => {
    const file = workplace.write('users.csv', text);
    const { code, out, err } = await workplace.run([
      'user',
      'import',
      file,
      '--json',
      '--iterations',
      '4096',
      ...options,
    ]);
    return { code, err, ...JSON.parse(out) };
  };

  it('takes passwords and bcrypt hashes, with every quirk of such files', async () => {
    const text = [
      '\uFEFFjid,password',
      '# romeo@localhost,comment',
      'Romeo@localhost,pencil',
      '',
      'juliet@localhost,with, comma and  spaces ',
      '"nurse@localhost","says ""hark"""',
      `tybalt@localhost,${pencilHash}`,
      'paris@localhost,pássword',
    ].join('\r\n');
    expect(await importText(text)).to.deep.include({ code: 0, created: 5, skipped: [], problems: [], losses: [] });
    await stored(workplace, async (storage) => {
      expect(await accepts(storage, 'romeo@localhost', 'pencil')).to.equal(true);
      expect(await accepts(storage, 'juliet@localhost', 'with, comma and  spaces ')).to.equal(true);
      expect(await accepts(storage, 'nurse@localhost', 'says "hark"')).to.equal(true);
      expect(await accepts(storage, 'paris@localhost', 'pássword')).to.equal(true);
      expect(await storage.accounts.credentials('tybalt@localhost')).to.deep.include({ scram: {}, bcrypt: pencilHash });
      expect(await accepts(storage, 'tybalt@localhost', 'crayon')).to.equal(false);
      expect(await accepts(storage, 'tybalt@localhost', 'pencil')).to.equal(true);
    });
  });

  const badLines: readonly (readonly [line: string | Buffer, says: RegExp])[] = [
    ['romeo@localhost', /is not jid,password/],
    ['romeo@localhost,', /empty/],
    ['romeo@localhost,"open', /is not jid,password/],
    ['"romeo@localhost,pencil', /not an address/],
    ['romeo@example.org,pencil', /example\.org is not served here/],
    ['localhost,pencil', /not the address of an account/],
    ['romeo@localhost/x,pencil', /not the address of an account/],
    ['ro meo@localhost,pencil', /localpart/],
    ['romeo@localhost,\u0007', /characters/],
    ['romeo@localhost,$2b$10$tooshort', /bcrypt hash is incomplete/],
    [`romeo@localhost,${pencilHash}x`, /bcrypt hash is incomplete/],
    [Buffer.from('romeo@localhost,p\xE9', 'latin1'), /UTF-8/],
  ];
  for (const [line, says] of badLines) {
    it(`names the line of ${JSON.stringify(line.toString().slice(0, 40))} and takes the others`, async () => {
      const before = Buffer.from(`first@localhost,${pencilHash}\n`);
      const after = Buffer.from(`\nlast@localhost,${pencilHash}\n`);
      const outcome = await importText(Buffer.concat([before, Buffer.from(line), after]));
      expect(outcome.problems).to.have.length(1);
      expect(outcome.problems[0].place).to.equal('line 2');
      expect(outcome.problems[0].problem).to.match(says);
      expect(outcome).to.deep.include({ code: 1, created: 2, skipped: [] });
    });
  }

  it('skips accounts that exist, in the database or earlier in the file, and leaves them alone', async () => {
    await importText('romeo@localhost,pencil');
    const outcome = await importText('ROMEO@localhost,crayon\njuliet@localhost,pen\njuliet@localhost,chalk\n');
    expect(outcome).to.deep.include({ code: 0, created: 1, skipped: ['romeo@localhost', 'juliet@localhost'] });
    await stored(workplace, async (storage) => {
      expect(await accepts(storage, 'romeo@localhost', 'pencil')).to.equal(true);
      expect(await accepts(storage, 'juliet@localhost', 'pen')).to.equal(true);
    });
  });

  it('uses the iterations that it is told', async () => {
    await importText('romeo@localhost,pencil', '--iterations', '5000');
    await stored(workplace, async ({ accounts }) => {
      const credentials = await accounts.credentials('romeo@localhost');
      expect(Object.values(credentials?.scram ?? {}).map(({ iterations }) => iterations)).to.deep.equal([
        5000, 5000, 5000,
      ]);
    });
  });

  it('reads standard input', async () => {
    const outcome = await workplace.run(['user', 'import', '-'], { stdin: `romeo@localhost,${pencilHash}` });
    expect(outcome).to.include({ code: 0, out: '1 created, 0 skipped because they exist, 0 not imported.\n' });
    const nothing = await workplace.run(['user', 'import', '-'], { stdin: '' });
    expect(nothing).to.include({ code: 0, out: '0 created, 0 skipped because they exist, 0 not imported.\n' });
  });

  it('tells people of the first problems and how many more there are', async () => {
    const { code, out, err } = await workplace.run(['user', 'import', '-'], { stdin: 'x\n'.repeat(25) });
    expect(code).to.equal(1);
    expect(out.split('\n')).to.have.length(23);
    expect(out)
      .to.match(/^line 1: is not jid,password$/m)
      .and.match(/and 5 more; --json shows all/);
    expect(err).to.equal('ampere: 25 entries were not imported.\n');
  });

  it('takes ten thousand lines', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, index) => `user${index}@localhost,${index % 100 ? pencilHash : 'pencil'}`,
    );
    expect(await importText(lines.join('\n'))).to.deep.include({ code: 0, created: 10_000, problems: [] });
    expect(await stored(workplace, ({ accounts }) => accounts.count('localhost'))).to.equal(10_000);
  });

  it('ends behind the account that it is reading when it is interrupted', async () => {
    const interruption = new AbortController();
    async function* entries() {
      for (let number = 0; number < 100; number++) {
        if (number === 30) interruption.abort();
        yield { place: `line ${number}`, user: { jid: `user${number}@localhost`, password: 'pencil' } };
      }
    }
    const created: string[] = [];
    const create = async (users: { readonly jid: string }[]) => {
      created.push(...users.map(({ jid }) => jid));
      return { created: users.length, skipped: [] };
    };
    const options = { domains: ['localhost'], iterations: 4096, interrupted: interruption.signal };
    const summary = await importUsers(entries(), create, options);
    expect(summary.created).to.equal(created.length).and.to.be.within(1, 31);
    expect(created).to.deep.equal(created.map((_, number) => `user${number}@localhost`));
  });

  it('goes through a running server', async () => {
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      const outcome = await importText(
        `romeo@localhost,pencil\njuliet@localhost,${pencilHash}\nnurse@nowhere.example,x\n`,
      );
      expect(outcome).to.deep.include({ code: 1, created: 2, skipped: [] });
      expect(await accepts(server.storage, 'romeo@localhost', 'pencil')).to.equal(true);
      expect(server.forgotten).to.deep.equal(['romeo@localhost', 'juliet@localhost']);
      expect(server.log.lines.join('\n')).not.to.match(/pencil|\$2b/);
    } finally {
      await server.stop();
    }
  });
});

const wholeFile = `<?xml version='1.0' encoding='UTF-8'?>
<server-data xmlns='urn:xmpp:pie:0'>
  <host jid='LOCALHOST'>
    <user name='Juliet' password='pencil'>
      <query xmlns='jabber:iq:roster'>
        <item jid='Romeo@montague.example' name='Romeo &amp; co' subscription='both'><group>Friends</group><group>Friends</group></item>
        <item jid='nurse@localhost' ask='subscribe' approved='true'/>
        <item jid='@broken'/>
        <item jid='gone@localhost' subscription='remove'/>
      </query>
      <presence xmlns='jabber:client' type='subscribe' id='x1' from='mercutio@montague.example/x' to='juliet@localhost'>
        <nick xmlns='http://jabber.org/protocol/nick'>Merc</nick>
      </presence>
      <presence xmlns='jabber:client' type='subscribe' from='nurse@localhost'/>
      <query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><nick>J</nick></exodus></query>
      <vCard xmlns='vcard-temp'><FN><![CDATA[Juliet <3]]></FN></vCard>
      <blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@capulet.example'/></blocklist>
      <offline-messages>
        <message xmlns='jabber:client' from='romeo@montague.example/o' to='juliet@localhost' type='chat' id='m1'>
          <body>Neither, fair saint</body>
          <delay xmlns='urn:xmpp:delay' from='localhost' stamp='2009-07-21T00:32:29Z'>Offline</delay>
        </message>
      </offline-messages>
      <query xmlns='jabber:iq:privacy'><default name='public'/>
        <list name='public'>
          <item type='jid' value='Paris@capulet.example' action='deny' order='1'/>
          <item type='jid' value='nurse@localhost' action='deny' order='2'><presence-out/></item>
          <item type='jid' value='@broken' action='deny' order='3'/>
        </list>
        <list name='work'><item type='jid' value='romeo@montague.example' action='deny' order='1'/></list>
      </query>
    </user>
    <user name='romeo'>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
        <iter-count>4096</iter-count><salt>QSXCR+Q6sek8bf92</salt>
        <server-key>D+CSWLOshSulAsxiupA+qs2/fTE=</server-key><stored-key>6dlGYMOdZcOPutkcNY8U2g7vK9Y=</stored-key>
      </scram-credentials>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-256'><iter-count>0</iter-count></scram-credentials>
    </user>
    <user name='nurse'/>
  </host>
  <host jid='elsewhere.example'><user name='paris' password='x'/></host>
</server-data>
`;

describe('user import of XEP-0227', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  const importXml = async (...args: string[]) => {
    const { code, out, err } = await workplace.run(['user', 'import', '--json', ...args]);
    return { code, err, summary: out === '' ? undefined : JSON.parse(out) };
  };

  it('takes accounts with what they own, and says what it leaves', async () => {
    const { code, summary } = await importXml(workplace.write('all.xml', wholeFile));
    expect(code).to.equal(1);
    expect(summary).to.deep.include({ created: 3, skipped: [] });
    expect(summary.problems).to.deep.equal([
      { place: 'paris@elsewhere.example', problem: 'elsewhere.example is not served here' },
    ]);
    const losses: string[] = summary.losses.map(({ place, loss }: Record<string, string>) => `${place} ${loss}`);
    expect(losses.map((loss) => loss.replace(/(: localpart).*/, '$1'))).to.deep.equal([
      'Juliet@localhost <item>: localpart',
      'Juliet@localhost <item>: a contact with subscription remove',
      'Juliet@localhost <query>: localpart',
      'Juliet@localhost what the privacy list public does besides blocking',
      'Juliet@localhost what the privacy list work does besides blocking',
      'romeo@localhost <scram-credentials>: damaged credentials for SCRAM-SHA-256',
      'nurse@localhost a password: nobody can log in until one is set',
    ]);
    await stored(workplace, checkJuliet);
    await stored(workplace, async (storage) => {
      expect(await accepts(storage, 'juliet@localhost', 'pencil')).to.equal(true);
      expect(Object.keys((await storage.accounts.credentials('romeo@localhost'))?.scram ?? {})).to.deep.equal([
        'SHA-1',
      ]);
      expect(await accepts(storage, 'romeo@localhost', 'pencil')).to.equal(true);
      expect(await accepts(storage, 'nurse@localhost', '')).to.equal(false);
    });
  });

  async function checkJuliet(storage: Storage): Promise<void> {
    const juliet = 'juliet@localhost';
    const record = await storage.accounts.load(juliet);
    const items = new Map(record?.roster.map(({ version: _, ...item }) => [item.contact, item]));
    expect(items.get('romeo@montague.example')).to.deep.include({
      ...{ name: 'Romeo & co', groups: ['Friends'], subscription: 'both', ask: false, approved: false, inRoster: true },
    });
    expect(items.get('nurse@localhost')).to.deep.include({
      ask: true,
      approved: true,
      inRoster: true,
      subscription: 'none',
    });
    expect(String(items.get('nurse@localhost')?.pendingIn)).to.contain('from="nurse@localhost"');
    expect(items.get('mercutio@montague.example')).to.deep.include({ inRoster: false });
    expect(String(items.get('mercutio@montague.example')?.pendingIn)).to.match(
      /^<presence from="mercutio@montague.example" .*Merc/s,
    );
    expect(items.size).to.equal(3);
    expect(record?.blocked).to.deep.equal(['paris@capulet.example', 'tybalt@capulet.example']);
    expect(await storage.vcards.get(juliet)).to.equal('<vCard xmlns="vcard-temp"><FN>Juliet &lt;3</FN></vCard>');
    expect(await storage.privateXml.get(juliet, 'exodus', 'exodus:prefs')).to.contain('<nick>J</nick>');
    const [message] = await storage.offline.list(juliet, 0, 10);
    expect(message).to.include({ from: 'romeo@montague.example/o', receivedAtMs: Date.UTC(2009, 6, 21, 0, 32, 29) });
    expect(String(message?.bytes))
      .to.match(/^<message .*<body>Neither, fair saint<\/body>/s)
      .and.not.contain('delay');
  }

  it('leaves accounts that exist as they are', async () => {
    await workplace.done('user', 'add', 'juliet@localhost', '--password', 'crayon');
    const { summary } = await importXml(workplace.write('all.xml', wholeFile));
    expect(summary.skipped).to.deep.equal(['juliet@localhost']);
    const record = await stored(workplace, ({ accounts }) => accounts.load('juliet@localhost'));
    expect(record?.roster).to.deep.equal([]);
  });

  it('is the same through a running server and from standard input', async () => {
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      const { code } = await workplace.run(['user', 'import', '-'], { stdin: wholeFile });
      expect(code).to.equal(1);
      await checkJuliet(server.storage);
    } finally {
      await server.stop();
    }
  });

  it('follows includes below the file, at every depth', async () => {
    const xi = "xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'";
    mkdirSync(workplace.path('a'));
    const file = workplace.write('main.xml', `<server-data ${xi}><xi:include href='a/host.xml'/></server-data>`);
    workplace.write(
      'a/host.xml',
      `<host ${xi} jid='localhost'><xi:include href='some%20user.xml'/><user name='b' password='x'/></host>`,
    );
    workplace.write('a/some user.xml', `<user ${xi} name='a' password='x'><xi:include href='card.xml'/></user>`);
    workplace.write('a/card.xml', `<vCard xmlns='vcard-temp'><FN>A</FN></vCard>`);
    const { summary } = await importXml(file);
    expect(summary).to.deep.include({ created: 2, problems: [], losses: [] });
    expect(await stored(workplace, ({ vcards }) => vcards.get('a@localhost'))).to.contain('<FN>A</FN>');
  });

  it('takes the keys of ejabberd, whose base64 is base64 of base64, and those in place of a password', async () => {
    const [stored1, server1, salt] = [
      '6dlGYMOdZcOPutkcNY8U2g7vK9Y=',
      'D+CSWLOshSulAsxiupA+qs2/fTE=',
      'QSXCR+Q6sek8bf92',
    ];
    const twice = [stored1, server1, salt].map((text) => Buffer.from(text).toString('base64'));
    const file = workplace.write(
      'ejabberd.xml',
      `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'>
        <user name='new'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
          <iter-count>4096</iter-count><salt>${twice[2]}</salt>
          <server-key>${twice[1]}</server-key><stored-key>${twice[0]}</stored-key></scram-credentials></user>
        <user name='old' password='scram:${stored1},${server1},${salt},4096'/>
        <user name='damaged' password='scram:sha256,${stored1},${server1},${salt},4096'/>
        <user name='none' password=''/>
      </host></server-data>`,
    );
    const { summary } = await importXml(file);
    expect(summary).to.deep.include({ created: 4, problems: [] });
    expect(summary.losses[0].loss).to.equal('damaged credentials for SCRAM-SHA-256');
    await stored(workplace, async (storage) => {
      for (const name of ['new', 'old']) expect(await accepts(storage, `${name}@localhost`, 'pencil')).to.equal(true);
      expect((await storage.accounts.credentials('damaged@localhost'))?.scram).to.deep.equal({});
    });
  });

  it('takes the requests of a file by Prosody, which inherit the namespace of the document', async () => {
    // As prosody-migrator 0.12.3 writes it.
    const file = workplace.write(
      'juliet.xml',
      `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='juliet' password='pencil'>
<query version='3' xmlns='jabber:iq:roster'><item jid='nurse@localhost' subscription='both'/></query>
<presence type='subscribe' from='paris@localhost'/><presence type='subscribe' from='nurse@localhost'/>
<presence type='unavailable' from='tybalt@localhost'/>
</user></host></server-data>`,
    );
    const { summary } = await importXml(file);
    expect(summary.losses).to.deep.equal([
      {
        place: 'juliet@localhost',
        loss: '<presence>: not a subscription request',
      },
    ]);
    const record = await stored(workplace, ({ accounts }) => accounts.load('juliet@localhost'));
    const pending = record?.roster.map(({ contact, inRoster, pendingIn }) => [contact, inRoster, String(pendingIn)]);
    expect(pending).to.deep.equal([
      ['nurse@localhost', true, '<presence from="nurse@localhost" type="subscribe"/>'],
      ['paris@localhost', false, '<presence from="paris@localhost" type="subscribe"/>'],
    ]);
  });

  it('takes the archive and the nodes of a file by Prosody', async () => {
    // As mod_storage_xep0227 of Prosody 0.12.3 writes it: subscriptions have the attribute 'subscribed'.
    const result = (id: string, stamp: string, body: string) => `<result xmlns='urn:xmpp:mam:2' id='${id}'>
        <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/><message
        xmlns='jabber:client' from='romeo@localhost/o' to='juliet@localhost/b' type='chat'><body>${body}</body>
        <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='${id}'/></message></forwarded></result>`;
    const field = (name: string, value: string) => `<field var='pubsub#${name}'><value>${value}</value></field>`;
    const file = workplace.write(
      'juliet.xml',
      `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='juliet' password='pencil'>
        <archive xmlns='urn:xmpp:pie:0#mam'>
          ${result('one', '2021-03-04T05:06:07Z', 'first')}${result('two', '2021-03-04T05:06:07Z', 'second')}
          <result xmlns='urn:xmpp:mam:2' id='broken'><forwarded xmlns='urn:xmpp:forward:0'/></result><other/>
        </archive>
        <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>
          <configure node='urn:xmpp:avatar:metadata'><x xmlns='jabber:x:data' type='submit'>
            ${field('access_model', 'authorize')}${field('max_items', '3')}${field('persist_items', '1')}${field('itemreply', 'x')}
          </x></configure>
          <subscriptions node='urn:xmpp:avatar:metadata'><subscription jid='romeo@localhost' subscribed='subscribed'/>
            <subscription jid='paris@localhost' subscription='pending'/></subscriptions>
          <affiliations node='urn:xmpp:avatar:metadata'><affiliation jid='juliet@localhost' affiliation='owner'/>
            <affiliation jid='romeo@localhost' affiliation='publisher'/></affiliations>
          <configure/>
        </pubsub>
        <pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <items node='urn:xmpp:avatar:metadata'><item id='x'><metadata xmlns='urn:xmpp:avatar:metadata'/></item><item id='y'/></items>
          <items node='urn:xmpp:bookmarks:1'><item id='a@b'><conference xmlns='urn:xmpp:bookmarks:1'/></item></items>
        </pubsub>
        <prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>Romeo@localhost</jid></always><never/></prefs>
      </user></host></server-data>`,
    );
    const { summary } = await importXml(file);
    expect(summary.losses.map(({ loss }: { loss: string }) => loss)).to.deep.equal([
      '<archive>: a message without content or time',
      "<other xmlns='urn:xmpp:pie:0#mam'>",
      '<pubsub>: pubsub#access_model authorize of the node urn:xmpp:avatar:metadata',
      '<pubsub>: a subscription to the node urn:xmpp:avatar:metadata',
      '<pubsub>: romeo@localhost as publisher of the node urn:xmpp:avatar:metadata',
      '<configure>: no node',
      '<pubsub>: an item without content of the node urn:xmpp:avatar:metadata',
    ]);
    await stored(workplace, async ({ archive: store, pep }) => {
      const { archive, preferences, hasImportedIds } = (await store.open('juliet@localhost'))!;
      const range = { afterId: 0, beforeId: Number.POSITIVE_INFINITY, peer: 'romeo@localhost' };
      const page = await store.page(archive, range, 10, 'first');
      expect(page.map(({ importedId }) => importedId)).to.deep.equal(['one', 'two']);
      expect(timeOfId(page[0]!.id)).to.equal(Date.UTC(2021, 2, 4, 5, 6, 7));
      expect(String(page[0]?.bytes))
        .to.match(/first/)
        .and.not.match(/stanza-id/);
      expect(hasImportedIds).to.equal(true);
      expect(JSON.parse(preferences ?? '')).to.deep.equal({
        byDefault: 'never',
        always: ['romeo@localhost'],
        never: [],
      });
      const nodes = await pep.nodes('juliet@localhost');
      const configs = nodes.map(({ name, config }) => [name, JSON.parse(config)]);
      expect(configs.map(([name, { accessModel, maxItems }]) => [name, accessModel, maxItems])).to.deep.equal([
        ['urn:xmpp:avatar:metadata', 'whitelist', 3],
        ['urn:xmpp:bookmarks:1', 'whitelist', 'max'],
      ]);
      expect(await pep.subscribers('juliet@localhost', 'urn:xmpp:avatar:metadata')).to.deep.equal(['romeo@localhost']);
      expect(await pep.itemIds('juliet@localhost', 'urn:xmpp:bookmarks:1')).to.deep.equal(['a@b']);
    });
  });

  const badFiles: readonly (readonly [xml: string | Buffer, says: RegExp])[] = [
    ['<server-data xmlns="urn:xmpp:pie:0">\n<host jid="localhost">\n</server-data>', /bad\.xml: line 3: /],
    ['<server-data xmlns="urn:xmpp:pie:0"><host jid="localhost">', /bad\.xml: line 1: Unclosed root tag/],
    ['<accounts/>', /begins with <accounts>/],
    ['<server-data xmlns="urn:xmpp:pie:0">&bomb;</server-data>', /line 1: /],
    [Buffer.from('<server-data xmlns="urn:xmpp:pie:0">\xE9</server-data>', 'latin1'), /bad\.xml: is not UTF-8 text/],
    ...['../x.xml', '/etc/passwd', 'file:///etc/passwd', ''].map(
      (href) =>
        [
          `<server-data xmlns="urn:xmpp:pie:0"><include xmlns="http://www.w3.org/2001/XInclude" href="${href}"/></server-data>`,
          /bad\.xml: includes /,
        ] as const,
    ),
  ];
  for (const [xml, says] of badFiles) {
    it(`refuses ${JSON.stringify(xml.toString().slice(0, 140))}`, async () => {
      const { code, err } = await importXml(workplace.write('bad.xml', xml));
      expect(err)
        .to.match(says)
        .and.match(/^ampere: [^\n]+\n$/);
      expect(code).to.equal(1);
    });
  }
});
