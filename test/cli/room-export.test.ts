import { readFileSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { Workplace } from './run.ts';

const hall = 'hall@conference.localhost';
const header = '{"format":"ampere-rooms","version":1}';
const room = (address: string, change: object = {}) =>
  JSON.stringify({ room: { room: address, config: '{}', affiliations: [], messages: [], ...change } });
const message = (xml: string) => JSON.stringify({ message: { atMs: 1_700_000_000_000, xml } });
const spoken = `<message from="${hall}/nurse" type="groupchat"><body>hi</body></message>`;

describe('room export and room import', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure({}));

  async function store(): Promise<void> {
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal: () => {}, quickCheck: false });
    const base = { createdAtMs: 0, config: '{"name":"Hall"}', occupantKey: Buffer.alloc(32, 1), affiliations: [] };
    const listing = { name: 'Hall', isPublic: false };
    const number = await storage.rooms.create({ ...base, address: hall }, listing);
    await storage.rooms.create({ ...base, address: 'attic@conference.localhost' }, listing);
    const id = storage.rooms.newMessageId();
    const written = { bytes: Buffer.from(spoken), author: 'nurse@localhost/x', occupantId: 'o' };
    await storage.rooms.append({ room: number, id, ...written });
    await storage.close();
  }

  const imports = async (...lines: string[]) => {
    workplace.write('rooms.jsonl', lines.map((line) => `${line}\n`).join(''));
    return workplace.run(['room', 'import', 'rooms.jsonl', '--json']);
  };

  it('write a file that only its owner can read, which can be imported elsewhere', async () => {
    await store();
    expect(await workplace.done('room', 'export', '--out', 'rooms.jsonl')).to.match(/^Written to .*rooms\.jsonl\.\n$/);
    expect(statSync(workplace.path('rooms.jsonl')).mode & 0o777).to.equal(0o600);
    const lines = readFileSync(workplace.path('rooms.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.room?.room ?? line.message?.author ?? line.format)).to.deep.equal([
      'ampere-rooms',
      'attic@conference.localhost',
      hall,
      { jid: 'nurse@localhost/x', occupantId: 'o' },
    ]);
    workplace.configure({ dataDir: 'elsewhere' });
    expect(await workplace.done('room', 'import', 'rooms.jsonl')).to.equal(
      '2 created, 0 skipped because they exist, 0 not imported.\n',
    );
    const [, again] = (await workplace.done('room', 'export', hall)).trim().split('\n');
    const { occupantKey, config } = JSON.parse(again ?? '').room;
    expect([occupantKey, JSON.parse(config).name]).to.deep.equal([lines[2].room.occupantKey, 'Hall']);
  });

  it('say that there is no such room', async () => {
    await store();
    const { code, err } = await workplace.run(['room', 'export', 'cellar@conference.localhost']);
    expect([code, err]).to.deep.equal([5, 'ampere: There is no room cellar@conference.localhost.\n']);
  });

  it('report what cannot be imported, and go on', async () => {
    const odd = room('odd@conference.localhost', { config: '{"whois":"nobody"}' });
    const { code, out } = await imports(header, odd, room('x@elsewhere.example'), message(spoken), room(hall));
    const { created, problems } = JSON.parse(out);
    expect([code, created]).to.deep.equal([1, 1]);
    expect(problems).to.deep.equal([
      { place: 'odd@conference.localhost', problem: 'The configuration of odd@conference.localhost is invalid.' },
      {
        place: 'x@elsewhere.example',
        problem: 'elsewhere.example has no rooms here; the domains with rooms are: conference.localhost',
      },
    ]);
  });

  it('create no room whose first messages have a fault', async () => {
    const { out } = await imports(header, room(hall), message('<message'));
    expect(JSON.parse(out).problems).to.deep.equal([{ place: hall, problem: 'The XML of a message is invalid.' }]);
    expect((await workplace.run(['room', 'export', hall])).code).to.equal(5);
  });

  it('create no room whose last messages have a fault, and the whole room when it is gone', async () => {
    const many = Array.from({ length: 500 }, () => message(spoken));
    const { out } = await imports(header, room(hall), ...many, message('<message'));
    expect(JSON.parse(out).problems).to.deep.equal([{ place: hall, problem: 'The XML of a message is invalid.' }]);
    expect((await workplace.run(['room', 'export', hall])).code).to.equal(5);
    await imports(header, room(hall), ...many, message(spoken));
    expect((await workplace.done('room', 'export', hall)).trim().split('\n')).to.have.length(2 + 501);
  });

  it('let one user have a reserved nickname, and nobody the affiliation none', async () => {
    const affiliations = ['a', 'b', 'c'].map((name) => ({
      jid: `${name}@localhost`,
      affiliation: name === 'c' ? 'none' : 'member',
      nick: name === 'b' ? 'NURSE' : 'Nurse',
    }));
    await imports(header, room(hall, { affiliations }));
    const [, line] = (await workplace.done('room', 'export', hall)).split('\n');
    expect(JSON.parse(line ?? '').room.affiliations).to.deep.equal([
      { jid: 'a@localhost', affiliation: 'member', nick: 'Nurse' },
      { jid: 'b@localhost', affiliation: 'member' },
    ]);
  });

  for (const [title, lines] of [
    ['a later version', ['{"format":"ampere-rooms","version":2}']],
    ['a damaged line', [header, room(hall), '{"message":']],
  ] as const) {
    it(`refuse ${title}`, async () => {
      const { code, err } = await imports(...lines);
      expect([code, err]).to.deep.equal([1, `ampere: Line ${lines.length} is not one that "room export" writes.\n`]);
    });
  }
});
