import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { Workplace } from './run.ts';

const tables = `{tables,[{passwd,[{record_name,passwd},{attributes,[us,password]}]},
  {roster,[{record_name,roster},{attributes,[usj,us,jid,name,subscription,ask,groups,askmessage,xs]}]},
  {vcard,[{record_name,vcard},{attributes,[us,vcard]}]},
  {privacy,[{record_name,privacy},{attributes,[us,default,lists]}]},
  {offline_msg,[{record_name,offline_msg},{attributes,[us,timestamp,expire,from,to,packet]}]},
  {muc_room,[{record_name,muc_room},{attributes,[name_host,opts]}]},
  {muc_registered,[{record_name,muc_registered},{attributes,[us_host,nick]}]},
  {archive_msg,[{record_name,archive_msg},{attributes,[us,id,timestamp,peer,bare_peer,packet,nick,type]}]},
  {pubsub_node,[{record_name,pubsub_node},{attributes,[nodeid,id,parents,type,owners,options]}]},
  {pubsub_item,[{record_name,pubsub_item},{attributes,[itemid,nodeidx,creation,modification,payload]}]}]}.
`;
const juliet = '{<<"juliet">>,<<"localhost">>}';
const account = `{passwd,${juliet},<<"pencil">>}.\n`;
const jid = (name: string) => `{<<"${name}">>,<<"localhost">>,<<>>}`;
const message = (body: string) =>
  `{xmlel,<<"message">>,[{<<"type">>,<<"groupchat">>}],[{xmlel,<<"body">>,[],[{xmlcdata,<<"${body}">>}]}]}`;
const archived = (owner: string, second: number, body: string) =>
  `{archive_msg,${owner},<<"${second}">>,{1700,${second},0},${jid('romeo')},${jid('romeo')},${message(body)},<<"romeo">>,groupchat}.\n`;

describe('user import of a dump of ejabberd', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure({}));

  const imports = async (text: string | Buffer, what = 'user') => {
    const { code, out, err } = await workplace.run([what, 'import', workplace.write('dump.txt', text), '--json']);
    return { code, err, ...(out === '' ? {} : JSON.parse(out)) };
  };
  const exported = async () => (await workplace.run(['user', 'export', 'juliet@localhost'])).out;
  const lossesOf = ({ losses }: { losses: { loss: string }[] }) => losses.map(({ loss }) => loss);

  it('takes a contact, and a request apart from it', async () => {
    const contact = (name: string, subscription: string, ask: string) =>
      `{roster,{<<"juliet">>,<<"localhost">>,${jid(name)}},${juliet},${jid(name)},<<"N">>,${subscription},${ask},[<<"G">>],<<"hi">>,[]}.\n`;
    const rows = contact('romeo', 'both', 'none') + contact('paris', 'none', 'in') + contact('nurse', 'to', 'in');
    expect(await imports(tables + rows + account)).to.include({ code: 0, created: 1 });
    const xml = await exported();
    expect(xml).to.match(/<item (?=[^>]*jid="romeo@localhost")(?=[^>]*subscription="both")[^>]*><group>G<\/group>/);
    expect(xml).to.not.match(/<item [^>]*jid="paris@localhost"/);
    expect(xml.match(/<presence [^>]*type="subscribe"/g)).to.have.length(2);
  });

  it('takes keys of each hash, and leaves out an account without any', async () => {
    const key = (bytes: number) => `<<"${Buffer.alloc(bytes, 7).toString('base64')}">>`;
    const rows = [
      `{passwd,${juliet},{scram,${key(20)},${key(20)},${key(16)},4096}}.`,
      `{passwd,{<<"nurse">>,<<"localhost">>},{scram,${key(32)},${key(32)},${key(16)},sha256,4096}}.`,
      `{passwd,{<<"romeo">>,<<"localhost">>},{scram,${key(20)},${key(20)},${key(16)},sha512,4096}}.`,
    ];
    const summary = await imports(`${tables}${rows.join('\n')}\n`);
    expect(summary).to.deep.include({ code: 0, created: 3 });
    expect(lossesOf(summary)).to.deep.equal([
      '<scram-credentials>: damaged credentials for SCRAM-SHA-512',
      'a password: nobody can log in until one is set',
    ]);
  });

  it('takes what the default privacy list blocks, and reports what lists do besides', async () => {
    const item = (type: string, value: string, action: string, all: boolean) =>
      `{listitem,${type},${value},${action},1,${all},false,false,false,false}`;
    const list = `[{<<"spam">>,[${item('jid', jid('tybalt'), 'deny', true)},${item('subscription', 'none', 'deny', false)}]},
      {<<"other">>,[${item('jid', jid('paris'), 'deny', true)}]}]`;
    const summary = await imports(`${tables}${account}{privacy,${juliet},<<"spam">>,${list}}.\n`);
    expect(lossesOf(summary)).to.deep.equal([
      'what the privacy list spam does besides blocking',
      'what the privacy list other does besides blocking',
    ]);
    expect(await exported()).to.match(/<blocklist [^>]*><item jid="tybalt@localhost"\/><\/blocklist>/);
  });

  it('takes stored messages in the order of their arrival, without those that have expired', async () => {
    const full = (name: string) => `{jid,<<"${name}">>,<<"localhost">>,<<"r">>,<<"${name}">>,<<"localhost">>,<<"r">>}`;
    const stored = (second: number, expiry: string) =>
      `{offline_msg,${juliet},{1700,${second},0},${expiry},${full('romeo')},${full('juliet')},${message(`at ${second}`)}}.\n`;
    const rows = stored(2, 'never') + stored(1, 'never') + stored(3, '{1000,0,0}');
    expect(await imports(tables + account + rows)).to.deep.include({ code: 0, losses: [] });
    expect((await exported()).match(/<body>[^<]*/g)).to.deep.equal(['<body>at 1', '<body>at 2']);
  });

  it('reports a record that it cannot read, and takes the others', async () => {
    const rows = `{vcard,${juliet},{xmlel,<<"vCard">>,X}}.\n{passwd,{<<"x">>,oops(1)}}.\n`;
    const { code, created, problems, ...rest } = await imports(tables + account + rows);
    expect({ code, created }).to.deep.equal({ code: 1, created: 1 });
    expect(problems).to.deep.equal([{ place: 'the record that begins in line 13', problem: 'expected }' }]);
    expect(lossesOf(rest)).to.deep.equal(['a record in the table vcard: expected a term']);
  });

  it('refuses a file that is not complete, standard input, and the database itself', async () => {
    expect(await imports(`${tables}{passwd,{<<"a`))
      .to.include({ code: 5 })
      .and.property('err')
      .match(/not a complete dump/);
    const piped = await workplace.run(['user', 'import', '-'], { stdin: tables });
    expect(piped)
      .to.include({ code: 2 })
      .and.property('err')
      .match(/cannot be read from standard input/);
    workplace.write('schema.DAT', '');
    const { code, err } = await workplace.run(['user', 'import', '.']);
    expect({ code, err })
      .to.deep.include({ code: 5 })
      .and.property('err')
      .match(/ejabberdctl dump/);
  });

  describe('with rooms', () => {
    const hall = '{<<"hall">>,<<"conference.localhost">>}';
    const room = (options: string) => `{muc_room,${hall},[${options}]}.\n`;
    /** The room as it is stored, and how many messages its archive has. */
    const stored = async () => {
      const onFatal = (error: Error) => {
        throw error;
      };
      const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal, quickCheck: false });
      const { record } = await storage.rooms.open('hall@conference.localhost');
      const [listed] = await storage.rooms.list('', 1);
      await storage.close();
      return { ...record, config: record?.config ?? '', messages: listed?.messages };
    };

    it('takes all options that have a meaning here, and names the others', async () => {
      const options = [
        '{title,<<"Hall">>},{description,<<"D">>},{persistent,true},{public,false},{members_only,true}',
        '{moderated,true},{members_by_default,false},{anonymous,false},{password_protected,true},{password,<<"s">>}',
        '{allow_private_messages,true},{allow_private_messages_from_visitors,nobody},{max_users,50},{mam,true}',
        '{presence_broadcast,[moderator,participant]},{lang,<<"en">>},{allow_change_subj,true},{allow_user_invites,false}',
        '{captcha_protected,true},{vcard,<<"<vCard">>},{allow_voice_requests,true},{subscribers,[]},{unheard_of,[]}',
        '{description,<<"E">>},{roles,[]},{hibernation_time,undefined}',
      ];
      const summary = await imports(tables + room(options.join(',')), 'room');
      expect(summary).to.deep.include({ code: 0, created: 1 });
      const losses = lossesOf(summary);
      expect(losses).to.deep.equal([
        'the option captcha_protected',
        'the option unheard_of',
        losses.find((loss) => loss.startsWith('the option vcard: ')),
      ]);
      expect(JSON.parse((await stored()).config)).to.deep.include({
        name: 'Hall',
        description: 'E',
        persistent: true,
        public: false,
        membersOnly: true,
        moderated: true,
        whois: 'anyone',
        passwordProtected: true,
        password: 's',
        allowPm: 'participants',
        maxOccupants: 50,
        archiving: true,
        presenceBroadcast: ['moderator', 'participant'],
        lang: 'en',
        changeSubject: true,
        allowInvites: false,
      });
    });

    it('takes affiliations with the nicknames of their users, and the archive in its order', async () => {
      const list = `{affiliations,[{${jid('juliet')},owner},{${jid('romeo')},{member,<<"why">>}},{${jid('paris')},{outcast,<<>>}},{${jid('x')},king}]}`;
      const nick = `{muc_registered,{{<<"romeo">>,<<"localhost">>},<<"conference.localhost">>},<<"Montague">>}.\n`;
      const rows = archived(hall, 2, 'second') + archived(hall, 1, 'first');
      const summary = await imports(tables + rows + room(`${list},{mam,true}`) + nick, 'room');
      expect(lossesOf(summary)).to.deep.equal(['the affiliation king of x@localhost']);
      const { affiliations = [], messages } = await stored();
      expect(affiliations.map(({ jid: user, ...one }) => [user, one.affiliation, one.nick, one.reason])).to.deep.equal([
        ['juliet@localhost', 'owner', undefined, undefined],
        ['paris@localhost', 'outcast', undefined, undefined],
        ['romeo@localhost', 'member', 'Montague', 'why'],
      ]);
      expect(messages).to.equal(2);
    });
  });
});
