import { expect } from 'chai';
import { operatorName } from '../../src/cli/control-client.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

/** What the audit log shows, whether the server runs or not. */
function auditLife(workplace: Workplace, origin: string): void {
  const rows = async (...options: string[]) => {
    const all = await workplace.done('audit', ...options);
    return all
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/).slice(1));
  };

  it('shows what was done and what was refused, latest first', async () => {
    await workplace.run(['user', 'add', 'juliet@localhost', '--password', 'x']);
    await workplace.run(['user', 'list']);
    await workplace.run(['user', 'rm', 'romeo@localhost']);
    await workplace.run(['user', 'passwd', 'juliet@localhost', '--password', 'y']);
    const by = [operatorName(), origin];
    expect(await rows()).to.deep.equal([
      [...by, 'PUT /users/password', 'juliet@localhost', 'done'],
      [...by, 'DELETE /users', 'romeo@localhost', 'There is no account romeo@localhost.'],
      [...by, 'POST /users', 'juliet@localhost', 'done'],
    ]);
    expect(await rows('--limit', '1')).to.have.length(1);
    expect(await rows('--subject', 'romeo@localhost')).to.have.length(1);
    expect(await workplace.done('audit', '--operator', 'nobody')).to.equal('');
    const { administrations } = JSON.parse(await workplace.done('audit', '--since', '1h', '--json'));
    expect(administrations).to.have.length(3);
    expect(JSON.stringify(administrations)).not.to.match(/password":|"x"|"y"/);
  });
}

describe('The audit log of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());
  auditLife(workplace, 'command line');
});

describe('The audit log of a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());
  auditLife(workplace, 'command line, server stopped');

  it('has to be asked for a number of lines that makes sense', async () => {
    expect((await workplace.run(['audit', '--limit', '0'])).code).to.equal(2);
  });
});
