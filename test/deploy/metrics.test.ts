import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { freePort } from '../support/free-port.ts';
import { LineProcess } from '../support/line-process.ts';

const deploy = resolve(import.meta.dirname, '../../docs/deploy');
const alerts = join(deploy, 'ampere-alerts.yml');
const dashboard = join(deploy, 'ampere-dashboard.json');
const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;

/** The families of a text of metrics, with the names of their samples. */
function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === 'histogram') for (const end of ['bucket', 'sum', 'count']) names.add(`${name}_${end}`);
  }
  return names;
}

describe('The files for monitoring', () => {
  const here = [{ host: '127.0.0.1', port: 0 }];
  const stage = new Stage({
    settings: { listen: { http: here }, web: { metrics: { enabled: true } }, rooms: { enabled: true } },
  });
  const url = () => `http://127.0.0.1:${stage.server.http?.port}/metrics`;
  const scrape = async (headers = {}) => (await fetch(url(), { headers })).text();
  const sampleIn = (text: string, sample: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length),
    );

  for (const file of [alerts, dashboard])
    it(`name only metrics that exist: ${file.slice(deploy.length + 1)}`, async () => {
      const known = namesIn(await scrape());
      const used = readFileSync(file, 'utf8').match(/\b(?:xmpp|ampere|nodejs|process)_\w+/g) ?? [];
      expect(used).to.have.length.above(10);
      expect([...new Set(used)].filter((name) => !known.has(name))).to.deep.equal([]);
    });

  it('leave out no metric of the server itself in the dashboard, except those of parts that are off', async () => {
    const shown = readFileSync(dashboard, 'utf8');
    const own = [...namesIn(await scrape())].filter(
      (name) => /^(?:xmpp|ampere)_/.test(name) && !/_(?:sum|count)$/.test(name),
    );
    const hidden = own.filter((name) => !new RegExp(`\\b${name}(?:_bucket)?\\b`).test(shown));
    expect(hidden).to.have.members([
      'xmpp_archive_messages',
      'xmpp_room_archive_messages',
      'ampere_disk_total_bytes',
      'ampere_disk_refusing',
    ]);
  });

  it('count what happens', async () => {
    const before = await scrape();
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>Good morrow</body></message>`);
    await juliet.receives('<message>...</message>');
    const after = await scrape();
    const grown = (sample: string) => sampleIn(after, sample) - (sampleIn(before, sample) || 0);
    expect(grown('xmpp_stanzas_total{direction="in",kind="message",via="c2s"}')).to.equal(1);
    expect(grown('xmpp_stanzas_total{direction="out",kind="message",via="c2s"}')).to.equal(1);
    expect(grown('xmpp_stanzas_total{direction="in",kind="presence",via="c2s"}')).to.equal(2);
    expect(grown('xmpp_sessions{state="connected"}')).to.equal(2);
    expect(grown('xmpp_accounts')).to.equal(2);
    expect(grown('xmpp_connections{kind="c2s",state="authenticated"}')).to.equal(2);
    expect(grown('ampere_storage_commits_total')).to.be.above(0);
    expect(grown('ampere_storage_commit_seconds_count')).to.be.above(0);
    expect(grown('xmpp_stream_bytes_total{direction="in",via="c2s"}')).to.be.above(500);
    expect(after).to.match(/^xmpp_auth_total\{mechanism="[\w-]+",result="success"\} [2-9]/m);
    expect(after).to.match(/^xmpp_tls_certificate_expiry_timestamp_seconds\{domain="localhost"\} \d{10}/m);
  });

  it('have few series, whatever strangers send', async () => {
    const { romeo } = await stage.enter(['romeo']);
    for (let one = 0; one < 50; one++)
      romeo.sends(`<iq id="${one}" type="get" to="${romeo.domain}"><x${one} xmlns="x:${one}"/></iq>`);
    await romeo.drains();
    for (let one = 0; one < 50; one++) await fetch(`${url()}/nothing/${one}`);
    const series = (await scrape()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(series).to.have.length.below(500);
  });

  describe('with Prometheus', () => {
    before(function () {
      if (!hasPrometheus) this.skip();
    });

    it('are metrics without a fault', async () => {
      const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: await scrape() });
      // Names of the process are those of the library; a gauge in microseconds or the like would be a fault of ours.
      const faults = `${stdout}${stderr}`.split('\n').filter((line) => /^(?:xmpp|ampere)/.test(line));
      expect(faults, `status ${status}`).to.deep.equal([]);
    });

    it('are rules without a fault', () => {
      expect(execFileSync('promtool', ['check', 'rules', alerts], { encoding: 'utf8' })).to.match(
        /SUCCESS: \d\d rules found/,
      );
    });

    it('are read by a running Prometheus, which calls no alert', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'ampere-prometheus-'));
      const port = await freePort();
      const config = join(directory, 'prometheus.yml');
      const target = new URL(url()).host;
      writeFileSync(
        config,
        `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(alerts)}]
scrape_configs:
  - job_name: ampere
    static_configs: [{ targets: ["${target}"] }]
`,
      );
      const prometheus = new LineProcess('prometheus', 'prometheus', [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      try {
        const query = (text: string) => `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`;
        const resultOf = async (text: string): Promise<readonly { value: [number, string] }[]> => {
          const response = await fetch(query(text)).catch(() => undefined);
          return response?.ok ? JSON.parse(await response.text()).data.result : [];
        };
        // Two scrapes, because Prometheus reads the second one with the type it knows from the first.
        let found = await resultOf('count_over_time(ampere_info[1m])');
        while (Number(found[0]?.value[1] ?? 0) < 2) {
          await new Promise((later) => setTimeout(later, 100));
          found = await resultOf('count_over_time(ampere_info[1m])');
        }
        expect((await resultOf('up'))[0]?.value[1]).to.equal('1');
        expect(await resultOf('ALERTS{alertstate="firing"}')).to.deep.equal([]);
        expect(await resultOf('xmpp_accounts')).to.have.length(1);
        expect(await resultOf('ampere_storage_commits_total')).to.have.length(1);
      } finally {
        prometheus.kill('SIGTERM');
        await prometheus.end();
        rmSync(directory, { recursive: true, force: true });
      }
    });
  });
});
