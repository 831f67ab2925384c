import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { Workplace } from './run.ts';

const item = (at: number, body: string) =>
  `item({ name = "message"; attr = { from = "hall@conference.localhost/nurse"; type = "groupchat" }; when = ${at}; { name = "body"; attr = {}; "${body}" } });\n`;

describe('room import', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure({}));

  /** Writes a file of Prosody's data directory. */
  function stores(name: string, text: string): void {
    const path = `prosody/${name}`;
    mkdirSync(dirname(workplace.path(path)), { recursive: true });
    workplace.write(path, text);
  }

  const imports = async () => {
    const { code, out, err } = await workplace.run(['room', 'import', 'prosody', '--json']);
    return { code, err, ...JSON.parse(out) };
  };

  it('creates the rooms that it can read, and reports the others', async () => {
    const owner = '["juliet@localhost"] = "owner"';
    stores('conference%2elocalhost/config/hall.dat', `return { _data = { name = "Hall" }; _jid = "x"; ${owner} };`);
    stores('conference%2elocalhost/config/old.dat', `return { _data = {}; _affiliations = { ${owner} } };`);
    stores('conference%2elocalhost/config/broken.dat', 'return { _data = {');
    stores('conference%2elocalhost/config/empty.dat', 'return nil;');
    stores('conference%2elocalhost/config/odd%20one.dat', 'return { _data = {} };');
    stores('elsewhere%2eexample/config/attic.dat', 'return { _data = {} };');
    const { code, err, created, skipped, problems, losses } = await imports();
    expect({ code, created, skipped, losses }).to.deep.equal({ code: 1, created: 2, skipped: [], losses: [] });
    expect(err).to.include('4 rooms were not imported.');
    const texts = problems.map(({ place, problem }: { place: string; problem: string }) => `${place}: ${problem}`);
    expect(texts.sort()).to.deep.equal([
      'attic@elsewhere.example: elsewhere.example has no rooms here; the domains with rooms are: conference.localhost',
      'broken@conference.localhost: line 1: expected a value',
      'empty@conference.localhost: its file has no room',
      texts.find((text: string) => text.startsWith('odd one@')),
    ]);
    expect((await imports()).skipped).to.have.members(['hall@conference.localhost', 'old@conference.localhost']);
  });

  it('leaves out options and affiliations without a meaning here, and says so', async () => {
    const data = 'history_length = 30; vcard_hash = "x"; whois = "nobody"; persistent = true';
    const affiliations = '["juliet@localhost"] = "owner"; ["romeo@localhost"] = "king"';
    stores('conference%2elocalhost/config/hall.dat', `return { _data = { ${data} }; ${affiliations} };`);
    const { code, created, losses } = await imports();
    expect({ code, created }).to.deep.equal({ code: 0, created: 1 });
    expect(losses.map(({ loss }: { loss: string }) => loss)).to.deep.equal([
      'the option vcard_hash',
      "the option whois: not-acceptable: 'muc#roomconfig_whois' cannot have this value",
      'the affiliation king of romeo@localhost',
    ]);
  });

  it('takes the messages of the archive and leaves out everything else in it', async () => {
    const presence = 'item({ name = "presence"; attr = {}; when = 3 });\n';
    stores('conference%2elocalhost/config/hall.dat', 'return { _data = {} };');
    stores('conference%2elocalhost/muc_log/hall.list', item(2, 'second') + item(1, 'first') + presence);
    expect(await imports()).to.include({ code: 0, created: 1 });
  });

  it('says that there is nothing to import', async () => {
    const { code, err } = await workplace.run(['room', 'import', 'nowhere']);
    expect(code).to.equal(5);
    expect(err).to.include('There is no file or directory');
  });
});
