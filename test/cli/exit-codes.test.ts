import { expect } from 'chai';
import { Workplace } from './run.ts';

interface Misuse {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  readonly stdin?: string;
}

const misuses: readonly Misuse[] = [
  { args: [], code: 2, says: /A command is missing/ },
  { args: ['bogus'], code: 2, says: /Unknown argument: bogus/ },
  { args: ['user'], code: 2, says: /A command is missing/ },
  { args: ['user', 'bogus'], code: 2, says: /bogus/ },
  { args: ['user', 'add'], code: 2, says: /Not enough arguments/ },
  { args: ['status', '--bogus'], code: 2, says: /Unknown argument: bogus/ },
  { args: ['status', 'bogus'], code: 2, says: /Unknown argument: bogus/ },
  { args: ['user', 'add', 'romeo@localhost'], code: 2, says: /--password-stdin/ },
  { args: ['user', 'add', 'romeo@localhost', '--password'], code: 2, says: /password/ },
  { args: ['user', 'add', 'romeo@localhost', '--password', 'x', '--password-stdin'], code: 2, says: /exclusive/ },
  { args: ['user', 'add', 'romeo@localhost', '--password', ''], code: 2, says: /password is empty/ },
  { args: ['user', 'add', 'romeo@localhost', '--password-stdin'], code: 2, says: /password is empty/, stdin: '\nlate' },
  { args: ['user', 'add', 'romeo@localhost', '--password', '\u0001'], code: 2, says: /characters/ },
  { args: ['user', 'add', 'romeo@localhost', '--password', 'x'.repeat(2000)], code: 2, says: /longer than 1024/ },
  { args: ['user', 'add', '', '--password', 'x'], code: 2, says: /is not an address/ },
  { args: ['user', 'add', 'a@b@localhost', '--password', 'x'], code: 2, says: /is not an address/ },
  { args: ['user', 'add', 'ro meo@localhost', '--password', 'x'], code: 2, says: /localpart/ },
  { args: ['user', 'add', 'localhost', '--password', 'x'], code: 2, says: /not the address of an account/ },
  { args: ['user', 'add', 'romeo@localhost/x', '--password', 'x'], code: 2, says: /not the address of an account/ },
  { args: ['user', 'add', 'romeo@example.org', '--password', 'x'], code: 5, says: /not served here.*localhost/ },
  { args: ['user', 'list'], code: 5, says: /no database/ },
  { args: ['user', 'rm', 'romeo@localhost'], code: 5, says: /no database/ },
  { args: ['user', 'passwd', 'romeo@localhost', '--password', 'x'], code: 5, says: /no database/ },
  { args: ['user', 'import', 'nowhere.csv'], code: 5, says: /no file/ },
  { args: ['user', 'import', '-', '--iterations', '4095'], code: 2, says: /4096/ },
  { args: ['user', 'import', '-', '--iterations', 'many'], code: 2, says: /4096/ },
  { args: ['status'], code: 3, says: /No server is running/ },
  { args: ['sessions'], code: 3, says: /No server is running/ },
  { args: ['kick', 'romeo@localhost'], code: 3, says: /No server is running/ },
  { args: ['reload'], code: 3, says: /No server is running/ },
  { args: ['amp'], code: 2, says: /A command is missing/ },
  { args: ['amp', 'explain', '--from', 'a@localhost', '--to', 'b@localhost'], code: 3, says: /No server is running/ },
  { args: ['send', '--to', 'a@localhost', '--body', 'x'], code: 3, says: /No server is running/ },
  { args: ['send', '--to', 'a@localhost'], code: 2, says: /body/ },
  { args: ['forward', 'list'], code: 5, says: /no database/ },
  { args: ['backup', 'copy.db'], code: 5, says: /no database/ },
  { args: ['restore', 'copy.db'], code: 5, says: /no backup/ },
  // The first is read without the parser of command lines, which has the others.
  { args: ['start', '--config', 'missing.json'], code: 4, says: /missing\.json:1:1: cannot be read/ },
  { args: ['start', '--config=missing.json'], code: 4, says: /missing\.json:1:1: cannot be read/ },
  { args: ['--config', 'missing.json', 'start'], code: 4, says: /missing\.json:1:1: cannot be read/ },
  { args: ['start', '--config', ''], code: 4, says: /cannot be read/ },
  { args: ['start', '--config', '--bogus'], code: 2, says: /./ },
  { args: ['start', '--config'], code: 2, says: /config/ },
  { args: ['status', '--config', 'missing.json'], code: 4, says: /missing\.json:1:1: cannot be read/ },
];

describe('a wrong command line', () => {
  const workplace = new Workplace();

  for (const { args, code, says, stdin = '' } of misuses) {
    const shown = args.map((argument) => JSON.stringify(argument.slice(0, 30))).join(' ');
    it(`ends with ${code}: ampere ${shown}`, async () => {
      const outcome = await workplace.run(args, { stdin });
      expect(outcome.err).to.match(says);
      expect(outcome.err).to.match(/^ampere: [^\n]+\n$/);
      expect(outcome).to.include({ code, out: '' });
    });
  }

  it('ends with 4, naming every mistake in the configuration', async () => {
    workplace.write('server.json', '{\n  "domian": 1,\n  "dataDir": 2\n}');
    for (const command of [['status'], ['start'], ['check'], ['user', 'list']]) {
      const { code, err } = await workplace.run(command);
      expect(err).to.match(/server\.json:2:3: domian.*\n.*server\.json:3:14: dataDir/);
      expect(code).to.equal(4);
    }
  });

  it('ends with 4 when no server is running and the configuration has a mistake in another key', async () => {
    workplace.write('server.json', '{ "domian": 1 }');
    for (const command of [['status'], ['user', 'list'], ['user', 'add', 'a@localhost', '--password', 'x']]) {
      const { code, err } = await workplace.run(command);
      expect(err).to.match(/server\.json:1:3: domian/);
      expect(code).to.equal(4);
    }
  });

  it('ends with 3 when the control socket cannot be looked for', async () => {
    workplace.write('server.json', JSON.stringify({ dataDir: 'server.json/data' }));
    const { code, err } = await workplace.run(['status']);
    expect(err).to.match(/Cannot connect to the server at .*control\.sock: .*ENOTDIR/);
    expect(code).to.equal(3);
  });

  it('ends with 4 when the path of the control socket is too long', async () => {
    workplace.write('server.json', JSON.stringify({ dataDir: 'long/'.repeat(40) }));
    const { code, err } = await workplace.run(['status']);
    expect(err).to.match(/too long for a socket.*choose a shorter dataDir/);
    expect(code).to.equal(4);
  });

  it('ends with 1 when a file cannot be read', async () => {
    const { code, err } = await workplace.run(['user', 'import', '/proc/self/mem']);
    expect(code).to.equal(1);
    expect(err).to.match(/^ampere: EIO/);
  });
});

describe('the configuration file', () => {
  const workplace = new Workplace();
  const domainUsed = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const { err } = await workplace.run(['user', 'add', 'x@unknown.example', '--password', 'x', ...args], {
      environment,
    });
    return /the domains are: (.*)\.\n/.exec(err)?.[1];
  };

  it('is that of --config, then AMPERE_CONFIG, then ./server.json, then the defaults', async () => {
    expect(await domainUsed([])).to.equal('localhost');
    workplace.configure({ domains: ['here.example'] });
    expect(await domainUsed([])).to.equal('here.example');
    workplace.write('other.json', '{"domains":["environment.example"]}');
    expect(await domainUsed([], { AMPERE_CONFIG: 'other.json' })).to.equal('environment.example');
    expect(await domainUsed([], { AMPERE_CONFIG: '' })).to.equal('here.example');
    const named = workplace.write('named.json', '{"domains":["option.example"]}');
    expect(await domainUsed(['--config', named], { AMPERE_CONFIG: 'other.json' })).to.equal('option.example');
    expect(await domainUsed(['--config', 'other.json', '--config', 'named.json'])).to.equal('option.example');
  });
});

describe('the help', () => {
  const workplace = new Workplace();

  it('lists every command and the exit codes', async () => {
    const out = await workplace.done('--help');
    for (const command of [
      ...[
        'start',
        'check',
        'user',
        'forward',
        'status',
        'sessions',
        'kick',
        'send',
        'amp',
        'reload',
        'backup',
        'restore',
      ],
    ]) {
      expect(out).to.match(new RegExp(`^  ampere ${command}\\b`, 'm'));
    }
    expect(out).to.contain('Exit codes: 0 done');
    expect(await workplace.done('user', '--help')).to.match(/ampere user import <file>/);
  });

  it('is not needed for the version', async () => {
    expect(await workplace.done('--version')).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});
