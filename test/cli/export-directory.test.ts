import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { beginExport, exportUserWithin } from '../../src/web/control/export-operations.ts';
import { exportRoomWithin } from '../../src/web/control/room-export.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const begins = "<?xml version='1.0' encoding='UTF-8'?>\n<user xmlns=\"urn:xmpp:pie:0\" name=\"";

/** The contents of all files below a directory, by their paths, without the ids that rooms give to messages: they are new after an import. */
function filesIn(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const wanted = files.filter((name) => statSync(join(directory, name)).isFile());
  const content = (name: string) => readFileSync(join(directory, name), 'utf8');
  return Object.fromEntries(wanted.map((name) => [name, content(name).replace(/<stanza-id [^>]*>/g, '')]));
}

const hall = {
  room: { room: 'hall@conference.localhost', config: '{"persistent":true}', messages: [], affiliations: [] },
};

describe('export', () => {
  const workplace = new Workplace();
  const authentication = { scramIterations: 4096 };
  beforeEach(() => workplace.configure({ authentication, domains: ['localhost', 'here.example'] }));

  const add = async (...jids: string[]) => {
    await workplace.run(['user', 'import', '-'], { stdin: jids.map((jid) => `${jid},secret\n`).join('') });
  };
  const read = (...names: string[]) => readFileSync(workplace.path('all', ...names), 'utf8');
  const namesOf = (...names: string[]) => readdirSync(workplace.path('all', ...names)).sort();

  it('writes a document for each account, and one that includes them, for their owner alone', async () => {
    await add('juliet@localhost', 'romeo@localhost', 'nurse@here.example');
    expect(await workplace.done('export', 'all')).to.equal(`Written to ${workplace.path('all')}.\n`);
    expect(namesOf()).to.deep.equal(['accounts', 'rooms.jsonl', 'server-data.xml']);
    expect(namesOf('accounts', 'localhost')).to.deep.equal(['juliet.xml', 'romeo.xml']);
    expect(read('accounts', 'localhost', 'juliet.xml')).to.match(new RegExp(`^${RegExp.escape(begins)}juliet">`));
    expect(read('server-data.xml'))
      .to.include('<host jid="here.example">\n<include xmlns="http://www.w3.org/2001/XInclude" ')
      .and.include('href="accounts/here.example/nurse.xml"/>\n</host>\n</server-data>\n');
    const mode = (...names: string[]) => statSync(workplace.path('all', ...names)).mode & 0o777;
    expect([mode(), mode('accounts'), mode('accounts', 'localhost')]).to.deep.equal([0o700, 0o700, 0o700]);
    expect([mode('server-data.xml'), mode('accounts', 'localhost', 'romeo.xml')]).to.deep.equal([0o600, 0o600]);
  });

  it('finds a name of its own for each account, whatever the account is called', async () => {
    const locals = ['..', 'a.b', 'a%2eb', 'a%2Eb', 'ü', 'ü'.repeat(100), `${'ü'.repeat(99)}v`, '$!*|'];
    const jids = locals.map((local) => `${local}@localhost`);
    await add(...jids);
    await workplace.done('export', 'all');
    expect(namesOf('accounts', 'localhost')).to.have.length(new Set(locals.map((local) => local.toLowerCase())).size);
    for (const jid of jids) await workplace.run(['user', 'rm', jid]);
    await workplace.done('user', 'import', 'all');
    const { users } = JSON.parse(await workplace.done('user', 'list', '--json'));
    expect(users).to.have.members([...new Set(jids.map((jid) => jid.toLowerCase()))]);
  });

  it('writes what it has written before, if another server has imported it', async () => {
    await add('juliet@localhost', 'nurse@here.example');
    const room = { room: 'hall@conference.localhost', config: '{"persistent":true,"name":"Hall"}', messages: [] };
    const affiliations = [{ jid: 'juliet@localhost', affiliation: 'owner', nick: 'J' }];
    const message = (body: string) =>
      `<message from="${room.room}/J" id="${body}" type="groupchat"><body>${body}</body></message>`;
    const messages = ['one', 'two'].map((body, atMs) => ({ message: { atMs, xml: message(body) } }));
    const lines = [{ format: 'ampere-rooms', version: 1 }, { room: { ...room, affiliations } }, ...messages];
    workplace.write('hall.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await workplace.done('room', 'import', 'hall.jsonl');
    await workplace.done('export', 'all');
    const before = filesIn(workplace.path('all'));
    expect(Object.keys(before)).to.have.length(4);
    expect(before['rooms.jsonl']).to.include('"owner"').and.include('two');

    rmSync(workplace.path('data'), { recursive: true });
    expect(await workplace.done('user', 'import', 'all')).to.match(/^2 created, 0 skipped/);
    expect(await workplace.done('room', 'import', 'all')).to.match(/^1 created, 0 skipped/);
    await workplace.done('export', 'again');
    expect(filesIn(workplace.path('again'))).to.deep.equal(before);
  });

  it('is recorded once for all accounts and rooms, and for each account that is exported alone', async () => {
    await add('juliet@localhost', 'romeo@localhost', 'nurse@here.example');
    workplace.write(
      'hall.jsonl',
      `${JSON.stringify({ format: 'ampere-rooms', version: 1 })}\n${JSON.stringify(hall)}\n`,
    );
    await workplace.done('room', 'import', 'hall.jsonl');
    const { administrations: before } = JSON.parse(await workplace.done('audit', '--json'));
    await workplace.done('export', 'all');
    await workplace.done('user', 'export', 'localhost', '--out', 'domain.xml');
    await workplace.done('user', 'export', 'romeo@localhost', '--out', 'romeo.xml');
    const { administrations } = JSON.parse(await workplace.done('audit', '--json'));
    const added = administrations.slice(0, administrations.length - before.length);
    expect(
      added.map(({ operation, subject, result }: Record<string, string>) => [operation, subject, result]),
    ).to.deep.equal([
      ['GET /users/export', 'romeo@localhost', 'done'],
      ['POST /exports', 'localhost', 'done: 2 accounts'],
      ['POST /exports', 'localhost, here.example', 'done: 3 accounts'],
    ]);
  });

  it('has no way around the record', async () => {
    await add('juliet@localhost');
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      const client = (await ControlClient.connect(workplace.path('data')))!;
      const refusal = (asked: Promise<unknown>) => asked.then(() => 'none', String);
      const user = (id: string) => refusal(client.call(exportUserWithin, { export: id, jid: 'juliet@localhost' }));
      const begin = async () => (await client.call(beginExport, { domains: ['localhost'] })).export;
      const first = await begin();
      expect(await user(first)).to.equal('none');
      expect(await user('unheard-of')).to.include('does not know this export');
      const room = { export: 'unheard-of', room: 'hall@conference.localhost' };
      expect(await refusal(client.call(exportRoomWithin, room))).to.include('does not know this export');
      for (let others = 0; others < 100; others++) await begin();
      expect(await user(first)).to.include('does not know this export');
    } finally {
      await server.stop();
    }
  });

  it('continues where it was interrupted', async () => {
    await add('juliet@localhost', 'mercutio@localhost', 'nurse@localhost', 'romeo@localhost');
    const folder = workplace.path('all', 'accounts', 'localhost');
    // A directory in the place of a file, so that the export fails there.
    mkdirSync(`${folder}/nurse.xml.part`, { recursive: true });
    const notEmpty = { code: 5, err: `ampere: ${workplace.path('all')} is not empty.\n` };
    expect(await workplace.run(['export', 'all'])).to.include(notEmpty);
    writeFileSync(workplace.path('all', 'incomplete'), '2026-01-02T03:04:05.678Z\n');
    expect((await workplace.run(['export', 'all'])).code).to.equal(1);
    expect(namesOf()).to.deep.equal(['accounts', 'incomplete']);
    expect(namesOf('accounts', 'localhost')).to.deep.equal(['juliet.xml', 'mercutio.xml', 'nurse.xml.part']);

    rmdirSync(`${folder}/nurse.xml.part`);
    // As after a power cut.
    writeFileSync(`${folder}/juliet.xml`, '');
    writeFileSync(
      `${folder}/mercutio.xml`,
      `${read('accounts', 'localhost', 'mercutio.xml').slice(0, 20)}kept</user>\n`,
    );
    writeFileSync(`${folder}/tybalt.xml`, 'of an account that was removed meanwhile');
    expect(await workplace.run(['export', 'all'])).to.deep.equal({
      code: 0,
      out: `Written to ${workplace.path('all')}.\n`,
      err: 'Continues the export that began at 2026-01-02T03:04:05.678Z.\n',
    });
    expect(namesOf()).to.deep.equal(['accounts', 'rooms.jsonl', 'server-data.xml']);
    expect(namesOf('accounts', 'localhost')).to.deep.equal(['juliet.xml', 'mercutio.xml', 'nurse.xml', 'romeo.xml']);
    expect(read('accounts', 'localhost', 'juliet.xml')).to.include('scram-credentials');
    expect(read('accounts', 'localhost', 'mercutio.xml')).to.include('kept');
    expect(await workplace.run(['export', 'all'])).to.include(notEmpty);
  });

  it('leaves out an account that is removed meanwhile', async () => {
    workplace.configure({ authentication });
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      const { accounts } = server.storage;
      const load = accounts.load.bind(accounts);
      accounts.load = async (jid) => {
        if (jid === 'juliet@localhost') await accounts.remove(jid);
        return load(jid);
      };
      for (const target of ['all.xml', 'all']) {
        await add('juliet@localhost', 'romeo@localhost');
        await workplace.done('export', target);
      }
      expect(namesOf('accounts', 'localhost')).to.deep.equal(['romeo.xml']);
      const whole = readFileSync(workplace.path('all.xml'), 'utf8');
      expect(whole.match(/<user name="\w+">/g)).to.deep.equal(['<user name="romeo">']);
    } finally {
      await server.stop();
    }
  });

  it('says how far it has come, if that takes long', async () => {
    const said: string[] = [];
    const { Progress } = await import('../../src/cli/progress.ts');
    const say = (isTTY: boolean) => ({ stderr: { isTTY, write: (text: string) => said.push(text) } });
    let nowMs = 0;
    const { now } = performance;
    performance.now = () => nowMs;
    try {
      for (const isTTY of [true, false]) {
        const progress = new Progress(say(isTTY), 'accounts');
        for (let step = 0; step < 3; step++) {
          nowMs += 150 + (isTTY ? 0 : 9000);
          progress.step();
        }
        progress.end();
      }
    } finally {
      performance.now = now;
    }
    expect(said).to.deep.equal(['\r2 accounts\x1b[K', '\r\x1b[K', '2 accounts\n']);
  });
});
