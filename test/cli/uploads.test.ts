import { expect } from 'chai';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const ids = ['A'.repeat(22), 'B'.repeat(22), 'C'.repeat(22)] as const;
const url = (id: string) => `https://files.example/files/${id}/a%20b.png`;

describe('uploaded files of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
    for (const jid of ['romeo@localhost', 'juliet@localhost']) await server.storage.accounts.create(jid, { scram: {} });
    for (const [at, id] of ids.entries()) {
      const owner = at === 2 ? 'juliet@localhost' : 'romeo@localhost';
      const file = { id, name: 'a\nb.png', type: 'image/png', size: 2 ** 20 * (at + 1), uploadedAtMs: at * 1000 };
      await server.storage.uploads.add(owner, file, 1e9);
    }
  });
  afterEach(() => server.stop());

  it('are counted', async () => {
    expect(await workplace.done('upload', 'usage')).to.equal(
      'In all: 6.0 MiB\njuliet@localhost  1 file   3.0 MiB\nromeo@localhost   2 files  3.0 MiB\n',
    );
    expect(JSON.parse(await workplace.done('upload', 'usage', '--json')).bytes).to.equal(6 * 2 ** 20);
  });

  it('are listed, all, of a user, or one', async () => {
    const line = (at: number, owner: string) =>
      `${ids[at]}  1970-01-01T00:00:0${at}.000Z  ${owner}@localhost  ${at + 1}.0 MiB  image/png  a\\nb.png\n`;
    expect(await workplace.done('upload', 'list', '--user', 'romeo@localhost')).to.equal(
      line(1, 'romeo') + line(0, 'romeo'),
    );
    expect(await workplace.done('upload', 'list', url(ids[2]))).to.equal(line(2, 'juliet'));
    const { uploads } = JSON.parse(await workplace.done('upload', 'list', '--json'));
    expect(uploads.map(({ id }: { id: string }) => id)).to.deep.equal(ids.toReversed());
  });

  it('are removed by address, user and age', async () => {
    expect(await workplace.done('upload', 'rm', ids[0])).to.equal('1 file was removed.\n');
    expect(await workplace.done('upload', 'rm', '--older', '1', '--user', 'romeo@localhost')).to.equal(
      '1 file was removed.\n',
    );
    expect(await workplace.done('upload', 'rm', '--user', 'romeo@localhost')).to.equal('0 files were removed.\n');
    expect(server.tidied, 'their contents are deleted').to.equal(3);
    expect(await server.storage.uploads.find(ids[1])).to.equal('gone');
    expect(await server.storage.uploads.find(ids[2])).to.have.property('id', ids[2]);
  });

  it('are removed by the older name of the command, which the help does not show', async () => {
    expect(await workplace.done('upload', 'remove', ids[0])).to.equal('1 file was removed.\n');
    expect(await workplace.done('upload', '--help'))
      .to.contain('upload rm [url]')
      .and.not.contain('upload remove');
    expect(await workplace.done('--get-yargs-completions', 'ampere', 'upload', ''))
      .to.contain('rm')
      .and.not.contain('remove');
  });

  for (const [args, code, says] of [
    [['list', url('D'.repeat(22))], 5, /no file at https:/],
    [['rm', url('D'.repeat(22))], 5, /no file at https:/],
    [['list', 'https://files.example/other'], 2, /not the address of an uploaded file/],
    [['list', '--user', 'localhost'], 2, /not the address of an account/],
    [['rm'], 2, /--user or --older/],
  ] as const)
    it(`cannot ${args.join(' ')}`, async () => {
      const { code: actual, err } = await workplace.run(['upload', ...args]);
      expect([actual, err]).to.satisfy(() => actual === code && says.test(err), `${actual}: ${err}`);
    });
});
