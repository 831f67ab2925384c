import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { TestClient } from '../support/test-client.ts';
import { loopback, Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'bin/ampere.js');

/** A Node.js that is too old for the server, if this machine has one. */
const older = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => {
  if (!existsSync(file)) return false;
  const version = execFileSync(file, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)/.exec(version)?.[1]) < 24;
});

function launch(runtime: string, args: readonly string[], file = launcher) {
  const { status, stdout, stderr } = spawnSync(runtime, [file, ...args], { encoding: 'utf8', cwd: tmpdir() });
  return { code: status, out: stdout, err: stderr };
}

/** A server of this build in a process of its own. */
function startServer(runtime: string, config: string): LineProcess {
  return new LineProcess('ampere', runtime, [launcher, 'start', '--config', config]);
}

const isReady = (server: LineProcess) => () => server.lines.find((line) => line.includes('"msg":"ready"'));

describe('bin/ampere.js', () => {
  it('runs the build, and gives its exit code', () => {
    expect(launch(process.execPath, ['--version']).out).to.match(/^\d+\.\d+\.\d+\n$/);
    expect(launch(process.execPath, ['bogus'])).to.deep.equal({
      code: 2,
      out: '',
      err: 'ampere: Unknown argument: bogus.\n',
    });
  });

  it('says how to build when there is no build', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'ampere-unbuilt-'));
    try {
      cpSync(join(root, 'bin'), join(elsewhere, 'bin'), { recursive: true });
      cpSync(join(root, 'package.json'), join(elsewhere, 'package.json'));
      const { code, err } = launch(process.execPath, ['--version'], join(elsewhere, 'bin/ampere.js'));
      expect(err).to.equal(`ampere: it is not built yet: run npm run build in ${elsewhere}.\n`);
      expect(code).to.equal(1);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('takes the newer Node.js that came with the packages when run by an older one', function () {
    if (older === undefined) this.skip();
    expect(launch(older, ['--version']).out).to.match(/^\d+\.\d+\.\d+\n$/);
    expect(launch(older, ['bogus']).code).to.equal(2);
  });
});

/** Makes Node.js write the URL of each module to standard error. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      process.stderr.write(found.url + '\\n');
      return found;
    },
  });`)}`;

describe('a command', () => {
  const workplace = new Workplace();
  const modulesOf = async (...args: string[]) => {
    const command = new LineProcess('ampere', process.execPath, ['--import', recorder, launcher, ...args]);
    expect(await command.end()).to.equal(0);
    return [...new Set(command.complaints.map((line) => line.replace(/.*\/(?=dist\/|node_modules\/)/, '')))];
  };
  const packagesOf = (modules: readonly string[]) =>
    new Set(modules.flatMap((one) => /^node_modules\/([^/]+)\//.exec(one)?.[1] ?? []));
  const heavy = ['zod', 'pino', 'better-sqlite3', 'jsonc-parser', 'ltx', 'sax', 'tr46'];

  it('loads no other command, schema or log for a script that shells run when they start', async () => {
    const modules = await modulesOf('completion', 'bash');
    expect(modules.filter((one) => one.startsWith('dist/cli/commands/'))).to.have.members(
      ['index.js', 'completion.js'].map((file) => `dist/cli/commands/${file}`),
    );
    expect(packagesOf(modules)).to.include('yargs');
    for (const name of heavy) expect(packagesOf(modules)).not.to.include(name);
  });

  it('loads no operation, schema, log, database or parser of XML to call the running server', async () => {
    workplace.configure();
    const server = await RunningAdministration.start(workplace.path('data'));
    try {
      for (const [args, files] of [
        [['status'], ['status.js']],
        [
          ['user', 'list'],
          ['user.js', 'user-list.js'],
        ],
        [['room', 'list'], ['room.js']],
        [['blocked'], ['block.js']],
      ] as const) {
        const modules = await modulesOf(...args, '--config', workplace.path('server.json'));
        const commands = modules.filter((one) => one.startsWith('dist/cli/commands/'));
        expect(commands).to.have.members(['index.js', ...files].map((file) => `dist/cli/commands/${file}`));
        for (const name of heavy) expect(packagesOf(modules), args.join(' ')).not.to.include(name);
        // An import would initialize its HTTP client, too.
        expect(modules).not.to.include('node:http');
      }
    } finally {
      await server.stop();
    }
  });
});

describe('ampere start', () => {
  const workplace = new Workplace();
  const runtimes = [process.execPath, ...(older === undefined ? [] : [older])];

  for (const runtime of runtimes) {
    it(`serves until SIGTERM, by ${runtime === older ? 'an older' : 'this'} Node.js`, async () => {
      workplace.configure({ listen: { c2s: [loopback], c2sTls: [] } });
      const server = startServer(runtime, workplace.path('server.json'));
      const ready = JSON.parse(await server.waitFor('ready line', isReady(server)));
      expect(ready).to.deep.include({ msg: 'ready', domains: ['localhost'], c2sTls: [] });
      expect(ready.c2s[0]).to.match(/^127\.0\.0\.1:\d+$/);
      await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
      expect(JSON.parse(await workplace.done('status', '--json'))).to.include({ accounts: 1, sessions: 0 });
      await workplace.done('reload');
      server.kill('SIGHUP');
      await server.waitFor('second reload', () => {
        return server.lines.filter((line) => line.includes('"msg":"reloaded"')).length === 2 || undefined;
      });
      server.kill('SIGTERM');
      expect(await server.end()).to.equal(0);
      expect(server.complaints).to.deep.equal([]);
      expect((await workplace.run(['status'])).code).to.equal(3);
      expect(existsSync(workplace.path('data/control.sock'))).to.equal(false);
    });
  }

  it('bounds the memory for new objects, in the process that was started, unless somebody has chosen', async () => {
    const optionsOf = async (...chosen: string[]) => {
      workplace.configure({ listen: { c2s: [loopback], c2sTls: [] } });
      const args = [...chosen, launcher, 'start', '--config', workplace.path('server.json')];
      const server = new LineProcess('ampere', process.execPath, args);
      await server.waitFor('ready line', isReady(server));
      const command = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0');
      server.kill('SIGTERM');
      expect(await server.end()).to.equal(0);
      return command.slice(1, command.indexOf(launcher));
    };
    expect(await optionsOf()).to.deep.equal(['--max-semi-space-size=8', '--expose-gc']);
    expect(await optionsOf('--max-semi-space-size=4')).to.deep.equal(['--max-semi-space-size=4']);
    expect(await optionsOf('--no-deprecation')).to.deep.equal([
      '--no-deprecation',
      '--max-semi-space-size=8',
      '--expose-gc',
    ]);
  });

  it('keeps its streams at SIGHUP, and changes nothing if what it reads is no good', async () => {
    const usual = { listen: { c2s: [loopback], c2sTls: [] }, tls: { required: false } };
    workplace.configure(usual);
    const server = startServer(process.execPath, workplace.path('server.json'));
    const ready = JSON.parse(await server.waitFor('ready line', isReady(server)));
    const port = Number(String(ready.c2s[0]).split(':').at(-1));
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    const connects = async () => {
      const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
      await client.opens();
      await client.authenticates({ username: 'romeo', password: 'pencil' });
      await client.binds();
      return client;
    };
    const logged = (words: string) => server.lines.filter((line) => line.includes(words));
    const client = await connects();
    workplace.write('bad.pem', 'nonsense');
    const log = { level: 'debug' };
    const bad = [
      { ...usual, log, tls: { required: false, certificate: 'bad.pem', key: 'bad.pem' } },
      { ...usual, log, lgo: {} },
    ];
    for (const [index, settings] of bad.entries()) {
      workplace.configure(settings);
      server.kill('SIGHUP');
      await server.waitFor('refusal', () => logged('reload failed; nothing was changed').length > index || undefined);
      await client.settles();
    }
    server.kill('SIGUSR1');
    await client.settles();
    workplace.configure({ ...usual, log, limits: { c2s: { stanzaBytes: 20_000 }, http: { headersSeconds: 20 } } });
    server.kill('SIGHUP');
    await server.waitFor('reload', () => logged('"msg":"reloaded"')[0]);
    server.kill('SIGUSR1');
    await server.waitFor('a word at level debug', () => logged('SIGUSR1 does nothing')[0]);
    expect(logged('SIGUSR1 does nothing')).to.have.length(1);
    expect(logged('take effect after a restart').join()).to.include('"keys":["limits.http.headersSeconds"]');
    await client.settles();
    const other = await connects();
    await other.settles();
    for (const one of [client, other]) one.disconnects();
    server.kill('SIGTERM');
    expect(await server.end()).to.equal(0);
  });

  it('leaves no server behind when an older Node.js that launched it is killed', async function () {
    if (older === undefined) this.skip();
    workplace.configure({ listen: { c2s: [loopback], c2sTls: [] } });
    const server = startServer(older, workplace.path('server.json'));
    await server.waitFor('ready line', isReady(server));
    server.kill('SIGKILL');
    // Its output ends when the last process that holds it has ended.
    await server.end();
    expect(server.lines.some((line) => line.includes('"msg":"stopping"'))).to.equal(true);
    expect((await workplace.run(['status'])).code).to.equal(3);
  });

  it('comes back after it was killed, over its old socket', async () => {
    workplace.configure({ listen: { c2s: [loopback], c2sTls: [] } });
    const first = startServer(process.execPath, workplace.path('server.json'));
    await first.waitFor('ready line', isReady(first));
    first.kill('SIGKILL');
    await first.end();
    expect(existsSync(workplace.path('data/control.sock'))).to.equal(true);
    expect((await workplace.run(['status'])).code).to.equal(3);
    const second = startServer(process.execPath, workplace.path('server.json'));
    await second.waitFor('ready line', isReady(second));
    expect((await workplace.run(['status'])).code).to.equal(0);
    const third = startServer(process.execPath, workplace.path('server.json'));
    expect(await third.end()).to.equal(5);
    expect(third.complaints.join('\n')).to.match(/^ampere: The data directory .* is in use by process \d+/);
    second.kill('SIGINT');
    expect(await second.end()).to.equal(0);
  });

  it('says in one sentence why it does not start', async () => {
    workplace.write('bad.pem', 'nonsense');
    workplace.configure({ tls: { certificate: 'bad.pem', key: 'bad.pem' } });
    const server = startServer(process.execPath, workplace.path('server.json'));
    expect(await server.end()).to.equal(4);
    expect(server.complaints).to.deep.equal([`ampere: ${workplace.path('bad.pem')}: holds no PEM certificate.`]);
  });
});
