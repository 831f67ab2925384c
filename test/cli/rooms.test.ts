import { expect } from 'chai';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const hall = 'hall@conference.localhost';

describe('rooms of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
    const base = { createdAtMs: 0, config: '{"name":"Great\\nhall"}', occupantKey: Buffer.alloc(32) };
    const affiliations = [{ jid: 'juliet@localhost', affiliation: 'owner' }];
    const { rooms } = server.storage;
    const room = await rooms.create({ ...base, address: hall, affiliations }, { name: 'Great\nhall', isPublic: true });
    await rooms.create(
      { ...base, address: 'cell@conference.localhost', affiliations: [] },
      { name: '', isPublic: false },
    );
    const message = { id: rooms.newMessageId(), bytes: Buffer.from('<message/>'), author: 'juliet@localhost/1' };
    await rooms.append({ ...message, room, occupantId: 'o' });
  });
  afterEach(() => server.stop());

  it('are listed', async () => {
    expect(await workplace.done('room', 'list')).to.equal(
      'cell@conference.localhost  hidden  0 messages\n' +
        'hall@conference.localhost  public  1 message   Great\\nhall\n',
    );
    expect(JSON.parse(await workplace.done('room', 'list', '--json')).rooms[1]).to.deep.equal({
      address: hall,
      name: 'Great\nhall',
      isPublic: true,
      messages: 1,
    });
  });

  it('are shown, and get owners', async () => {
    const done = await workplace.done('room', 'affiliation', hall, 'Romeo@localhost', 'owner');
    expect(done).to.equal(`Romeo@localhost has the affiliation owner with ${hall}.\n`);
    expect(await workplace.done('room', 'show', hall)).to.equal(
      `Room ${hall}: hidden, persistent, open\nName: Great\\nhall\nowner: juliet@localhost\nowner: romeo@localhost\n`,
    );
    await workplace.done('room', 'affiliation', hall, 'juliet@localhost', 'none');
    const { affiliations } = JSON.parse(await workplace.done('room', 'show', hall, '--json'));
    expect(affiliations).to.deep.equal([{ jid: 'romeo@localhost', affiliation: 'owner' }]);
    expect((await server.storage.rooms.open(hall)).record?.affiliations).to.have.length(1);
  });

  it('are destroyed', async () => {
    expect(await workplace.done('room', 'destroy', hall, '--reason', 'fire')).to.equal(`${hall} was destroyed.\n`);
    const { record, tombstone } = await server.storage.rooms.open(hall);
    expect(record).to.equal(undefined);
    expect(tombstone).to.deep.include({ reason: 'fire', owners: ['juliet@localhost'] });
  });

  it('are created with settings, which can be shown and changed', async () => {
    const cellar = 'cellar@conference.localhost';
    const created = await workplace.done(
      'room',
      'create',
      cellar,
      '--owner',
      'juliet@localhost',
      'name=Wine = old',
      'public=true',
    );
    expect(created).to.equal(`${cellar} was created.\n`);
    expect(await workplace.done('room', 'show', cellar)).to.equal(
      `Room ${cellar}: public, persistent, open\nName: Wine = old\nowner: juliet@localhost\n`,
    );
    const settings = JSON.parse(
      await workplace.done(
        'room',
        'config',
        cellar,
        'membersOnly=true',
        'presenceBroadcast=moderator,visitor',
        '--json',
      ),
    );
    expect(settings).to.include({ public: 'true', membersOnly: 'true', presenceBroadcast: 'moderator,visitor' });
    expect(await workplace.done('room', 'config', cellar)).to.match(/^membersOnly +true$/m);
  });

  it('lose the messages of their archive', async () => {
    const done = await workplace.done('room', 'purge', hall, '--before', '2001-01-01');
    expect(done).to.equal(`0 messages were removed from the archive of ${hall}.\n`);
    expect(await workplace.done('room', 'purge', hall)).to.equal(
      `1 message was removed from the archive of ${hall}.\n`,
    );
    expect(await workplace.done('room', 'list')).to.match(/hall.* 0 messages/);
  });

  for (const [args, code, says] of [
    [['create', hall], 5, /is a room .*already/],
    [['create', 'cellar@localhost'], 2, /localhost has no rooms/],
    [['create', 'x@conference.localhost', 'persistent=false'], 2, /must be persistent/],
    [['create', 'x@conference.localhost', 'colour=red'], 2, /no setting 'colour'/],
    [['config', hall, 'public=perhaps'], 2, /cannot have this value/],
    [['config', hall, 'public'], 2, /KEY=VALUE/],
    [['kick', hall, 'nobody'], 5, /Nobody in hall@.* is nobody/],
    [['purge', hall, '--before', 'yesterday'], 2, /--before must be a date/],
    [['show', 'cellar@conference.localhost'], 5, /no room cellar@/],
    [['destroy', 'cellar@conference.localhost'], 5, /no room cellar@/],
    [['show', 'conference.localhost'], 2, /not the address of a room/],
    [['affiliation', hall, 'romeo@localhost/1', 'owner'], 2, /not the address of an account/],
    [['affiliation', hall, 'romeo@localhost', 'king'], 2, /king/],
    [[], 2, /A command is missing/],
  ] as const) {
    it(`end with ${code}: room ${args.join(' ')}`, async () => {
      const outcome = await workplace.run(['room', ...args]);
      expect(outcome.err).to.match(says);
      expect(outcome.code).to.equal(code);
    });
  }
});
