import { utimesSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { checkSystem, type Machine } from '../../src/check/check-system.ts';
import { zoneLines } from '../../src/check/zone.ts';
import { configSchema } from '../../src/config/schema.ts';
import { Workplace } from './run.ts';

const nowMs = Date.UTC(2026, 2, 1, 12);
const gib = 2 ** 30;

const healthy: Machine = {
  limits: () =>
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            65536                65536                files\n',
  nowMs: () => nowMs,
  isClockSynchronized: async () => true,
  diskSpace: () => ({ freeBytes: 50 * gib, totalBytes: 100 * gib }),
};

describe('The check of the machine', () => {
  const workplace = new Workplace();
  const configured = (settings: object = {}) =>
    configSchema({ directory: workplace.directory, environment: {} }).parse({ dataDir: '.', ...settings });
  const isPublic = { listen: { c2s: [{ host: '0.0.0.0', port: 5222 }] } };
  const found = async (changes: Partial<Machine>, settings: object = isPublic) => {
    const findings = await checkSystem(configured(settings), { ...healthy, ...changes });
    return findings.filter(({ level }) => level !== 'ok').map(({ level, message }) => `${level}: ${message}`);
  };
  const fewFiles = { limits: () => 'Max open files            1024                 4096                 files' };

  it('is content with one that has enough of everything', async () => {
    expect(await found({})).to.deep.equal([]);
    expect(await found({ limits: () => undefined, isClockSynchronized: async () => undefined })).to.deep.equal([]);
  });

  it('warns of a limit on open files that is too low for a public server', async () => {
    expect(await found(fewFiles)).to.have.length(1);
    expect((await found(fewFiles))[0]).to.match(/^warning: A process may open only 1024 files/);
    expect(await found(fewFiles, {})).to.deep.equal([]);
  });

  it('warns of a disk that is nearly full', async () => {
    const [few] = await found({ diskSpace: () => ({ freeBytes: gib / 2, totalBytes: gib }) });
    expect(few).to.match(/^warning: On the disk of .*, 0\.5 of 1\.0 GiB are free\.$/);
    expect(await found({ diskSpace: () => ({ freeBytes: 9 * gib, totalBytes: 100 * gib }) })).to.have.length(1);
  });

  it('warns of a clock that nothing keeps right, and finds one that was set back', async () => {
    expect(await found({ isClockSynchronized: async () => false })).to.deep.equal([
      'warning: The clock is not synchronized with a time server: see timedatectl.',
    ]);
    const database = workplace.path('ampere.db');
    writeFileSync(database, '');
    utimesSync(database, nowMs / 1000 + 3600, nowMs / 1000 + 3600);
    expect(await found({})).to.deep.equal([
      'error: The clock is wrong: the database was last written at 2026-03-01T13:00:00.000Z, which is in the future.',
    ]);
    utimesSync(database, nowMs / 1000, nowMs / 1000);
    expect(await found({})).to.deep.equal([]);
  });

  it('prints the records that clients and servers look up', () => {
    const config = configured({
      domains: ['exämple.org'],
      listen: { c2s: [{ host: '::', port: 5222 }], c2sTls: [], s2s: [{ host: '::', port: 5269 }], s2sTls: [] },
      rooms: { enabled: false },
      components: { 'sms.example.org': { secret: 'x' } },
    });
    expect(zoneLines(config, 'xmpp.example.org', ['198.51.100.7', '2001:db8::7'])).to.deep.equal([
      'xmpp.example.org. 3600 IN A 198.51.100.7',
      'xmpp.example.org. 3600 IN AAAA 2001:db8::7',
      '_xmpp-client._tcp.xn--exmple-cua.org. 3600 IN SRV 0 5 5222 xmpp.example.org.',
      '_xmpp-server._tcp.xn--exmple-cua.org. 3600 IN SRV 0 5 5269 xmpp.example.org.',
      '_xmpp-server._tcp.sms.example.org. 3600 IN SRV 0 5 5269 xmpp.example.org.',
    ]);
    expect(zoneLines(config, 'xmpp.example.org', [])[0]).to.match(/^; xmpp\.example\.org\. 3600 IN A \(/);
  });

  it('prints the port of HTTPS for clients, behind the usual one', () => {
    const config = configured({
      domains: ['a.example'],
      listen: {
        c2s: [],
        c2sTls: [{ host: '::', port: 5223 }],
        s2s: [],
        s2sTls: [],
        https: [{ host: '::', port: 443 }],
      },
    });
    const records = zoneLines(config, 'a.example', ['198.51.100.7']).filter((line) => line.includes('_xmpps-client'));
    expect(records).to.deep.equal([
      '_xmpps-client._tcp.a.example. 3600 IN SRV 0 5 5223 a.example.',
      '_xmpps-client._tcp.a.example. 3600 IN SRV 10 5 443 a.example.',
    ]);
  });

  it('prints them for programs, too', async () => {
    workplace.configure({ listen: { c2s: [{ host: '127.0.0.1', port: 5222 }], c2sTls: [] } });
    const { zone } = JSON.parse(await workplace.done('check', '--zone', '--host', 'a.example', '--json'));
    expect(zone.at(-1)).to.equal('_xmpp-client._tcp.localhost. 3600 IN SRV 0 5 5222 a.example.');
    expect((await workplace.run(['check', '--host', 'a.example'])).code).to.equal(2);
  });
});
