import { expect } from 'chai';
import type { Person } from '../../src/web/console/logins.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

describe('ampere console', () => {
  const workplace = new Workplace();
  const people: Person[] = [];
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    people.length = 0;
    server = await RunningAdministration.start(workplace.path('data'), {
      newLink: async (person) => {
        people.push(person);
        return { url: 'http://localhost:5280/console/login/t', forMs: 300_000 };
      },
    });
  });
  afterEach(() => server.stop());

  it('prints a link for the user of the machine', async () => {
    const printed = await workplace.done('console');
    expect(printed).to.equal('http://localhost:5280/console/login/t\nIt works once, for 5 minutes.\n');
    expect(people).to.have.length(1);
    expect(people[0]?.role).to.equal('operator');
    expect(people[0]?.operator).not.to.equal('');
  });

  it('prints a link for an observer, in JSON', async () => {
    const printed = JSON.parse(await workplace.done('console', '--role', 'observer', '--json'));
    expect(printed).to.deep.equal({ url: 'http://localhost:5280/console/login/t', forMs: 300_000 });
    expect(people[0]?.role).to.equal('observer');
  });

  it('knows no other roles', async () => {
    expect((await workplace.run(['console', '--role', 'root'])).code).to.equal(2);
  });

  it('says why the console is off', async () => {
    await server.stop();
    server = await RunningAdministration.start(workplace.path('data'));
    const { code, err } = await workplace.run(['console']);
    expect([code, err]).to.deep.equal([
      4,
      'ampere: The console is off: it needs web.console.enabled, and an address in listen.http or listen.https.\n',
    ]);
  });
});
