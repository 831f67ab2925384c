import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '../..');
const deploy = join(root, 'docs/deploy');
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('The units for systemd', () => {
  let directory: string;
  const units = ['ampere.service', 'ampere-backup.service', 'ampere-backup.timer'];
  before(function () {
    if (!hasSystemd) this.skip();
    directory = mkdtempSync(join(tmpdir(), 'ampere-units-'));
    for (const name of units) {
      const text = readFileSync(join(deploy, name), 'utf8');
      writeFileSync(join(directory, name), text.replaceAll('/usr/local/bin/ampere', process.execPath));
    }
  });
  after(() => directory && rmSync(directory, { recursive: true }));

  const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { cwd: directory, encoding: 'utf8' });

  it('have no fault', () => {
    const { status, stderr } = analyze('verify', ...units.map((name) => `./${name}`));
    expect([status, stderr]).to.deep.equal([0, '']);
  });

  for (const name of ['ampere.service', 'ampere-backup.service'])
    it(`confine the process: ${name}`, () => {
      const { status, stdout } = analyze('security', '--offline=true', '--threshold=35', `./${name}`);
      expect(status, stdout).to.equal(0);
    });
});
