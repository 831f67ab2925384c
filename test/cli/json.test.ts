import { expect } from 'chai';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

/** Commands without `--json`, and the reason. */
const withoutJson = new Map([
  ['start', 'its output is its log, which is JSON if the configuration says so'],
  ['completion', 'it prints a script for a shell'],
]);

const [romeo, juliet, hall] = ['romeo@localhost', 'juliet@localhost', 'hall@conference.localhost'];

/** Commands that change something, in an order in which each succeeds, and what they print with `--json`. */
const changes: readonly (readonly [command: string, printed: object])[] = [
  [`user add ${romeo} --password pencil`, { jid: romeo }],
  [`user passwd ${romeo} --password pen`, { jid: romeo }],
  [`user suspend ${romeo} --reason spam`, { jid: romeo }],
  [`user resume ${romeo}`, { jid: romeo }],
  [`user approve ${juliet}`, { jid: juliet }],
  ['user reject nurse@localhost', { jid: 'nurse@localhost' }],
  [`user revoke ${juliet} the-phone`, { jid: juliet, device: 'the-phone', knowsPassword: false }],
  [`forward set ${romeo} ${juliet}`, { jid: romeo, target: juliet }],
  [`forward rm ${romeo}`, { jid: romeo }],
  [`kick ${juliet}`, { ended: [`${juliet}/balcony`] }],
  ['invite revoke 1', { id: 1 }],
  [`archive purge ${romeo}`, { jid: romeo, removed: 0 }],
  ['report rm 1', { id: 1 }],
  [`room create ${hall}`, { room: hall }],
  [`room affiliation ${hall} ${romeo} owner`, { room: hall, jid: romeo, affiliation: 'owner' }],
  [`room purge ${hall}`, { room: hall, removed: 0 }],
  [`room destroy ${hall}`, { room: hall }],
  [`upload rm --user ${romeo}`, { removed: 0 }],
  ['block spam.example', { domain: 'spam.example' }],
  ['unblock spam.example', { domain: 'spam.example' }],
  ['reload', { waiting: [] }],
  [`user rm ${romeo}`, { jid: romeo }],
];

describe('JSON for programs', () => {
  const workplace = new Workplace();

  /** The commands of a group, or of the program, as its help lists them. */
  async function commandsOf(...group: string[]): Promise<string[]> {
    const help = await workplace.done(...group, '--help');
    if (!help.includes('Commands:')) return [group.join(' ')];
    const names = [...help.matchAll(/^ {2}ampere ((?:[a-z\d-]+ )*[a-z\d-]+)(?= [<[]| {2})/gm)].map(
      ([, name = '']) => name,
    );
    const found: string[] = [];
    for (const name of names) found.push(...(await commandsOf(...name.split(' '))));
    return found;
  }

  it('is printed by every command that prints or changes data', async () => {
    const lacking: string[] = [];
    const commands = await commandsOf();
    for (const command of commands) {
      const help = await workplace.done(...command.split(' '), '--help');
      if (!/^ +--json /m.test(help)) lacking.push(command);
    }
    expect(commands).to.include.members(['status', 'user add', 'room import', 'amp explain']);
    expect(lacking).to.have.members([...withoutJson.keys()]);
  });

  it('says what a command has done', async () => {
    workplace.configure();
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      await prepare(server);
      await workplace.done('invite', 'create');
      for (const [command, printed] of changes)
        expect(JSON.parse(await workplace.done(...command.split(' '), '--json')), command).to.deep.equal(printed);
    } finally {
      await server.stop();
    }
  });

  it('names the files of exports, backups and what a backup replaces', async () => {
    workplace.configure();
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    const printed = async (...args: string[]) => JSON.parse(await workplace.done(...args, '--json'));
    const path = (name: string) => workplace.path(name);
    expect(await printed('user', 'export', romeo, '--out', 'one.xml')).to.deep.equal({ path: path('one.xml') });
    expect(await printed('room', 'export', '--out', 'rooms')).to.deep.equal({ path: path('rooms') });
    expect(await printed('export', 'all.xml')).to.deep.equal({ path: path('all.xml') });
    expect(await printed('export', 'all')).to.deep.equal({ path: path('all') });
    expect(await printed('backup', 'copy.db')).to.deep.equal({ file: path('copy.db') });
    const { file, kept } = await printed('restore', 'copy.db');
    expect(file).to.equal(path('copy.db'));
    expect(kept).to.match(/\.db/);
    const toStandardOutput = await workplace.run(['user', 'export', romeo, '--json']);
    expect(toStandardOutput).to.include({ code: 2, out: '' });
  });
});

/** What the commands change. */
async function prepare(server: RunningAdministration): Promise<void> {
  const { accounts, reports, devices } = server.storage;
  const approval = { atMs: 0 };
  for (const jid of [juliet, 'nurse@localhost']) await accounts.create(jid, { scram: {} }, { approval });
  const device = { key: 'the-phone', atMs: 0, keepUntilMs: Number.MAX_SAFE_INTEGER, passwordVersion: 1 };
  await devices.seen([{ owner: juliet, ...device }]);
  const report = { atMs: 0, jid: 'spam@far.example', reason: 'urn:xmpp:reporting:spam' };
  await reports.add(juliet, { ...report, texts: [], passingOn: [], messages: [] }, { perAccount: 1, total: 1 });
  server.connect(`${juliet}/balcony`);
}
