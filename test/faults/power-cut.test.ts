import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { TestClient } from '../support/test-client.ts';

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const sm = 'urn:xmpp:sm:3';
const stanzas = 40;

/** Stanzas that are sent one by one, and what the disk must hold when `h` of them are acknowledged. */
interface Sequence {
  /** Counts what the disk holds. */
  readonly query: string;
  readonly stanza: (number: number) => string;
}

/** The count itself. */
const handled = '(select coalesce(max(handled), 0) from resumable_sessions)';

/** Every other message goes to Juliet, who acknowledges none; the others go to Tybalt, who is offline. All of them are archived. */
const chat: Sequence = {
  query: `select min((select count(*) from offline_messages) + (select count(*) from unacknowledged), ${handled},
    (select count(*) from archive_messages where sender_archive is not null and recipient_archive is not null))`,
  stanza: (number) => {
    const to = number % 2 === 0 ? 'juliet' : 'tybalt';
    return `<message to="${to}@localhost" type="chat"><body>${number}</body></message>`;
  },
};

/** Every other stanza publishes one more item (XEP-0163, XEP-0490); the others add an address to the preferences (XEP-0441). */
const settings: Sequence = {
  query: `select min(${handled}, (select count(*) from pep_items) +
    coalesce((select json_array_length(preferences, '$.always') from archives where preferences is not null), 0))`,
  stanza: (number) => {
    if (number % 2 === 0) {
      const jids = Array.from({ length: number / 2 }, (_, index) => `<jid>${index}@x.example</jid>`).join('');
      return `<iq type="set" id="${number}"><prefs xmlns="urn:xmpp:mam:2" default="roster"><always>${jids}</always><never/></prefs></iq>`;
    }
    const item = `<item id="${number}@x.example"><displayed xmlns="urn:xmpp:mds:displayed:0"/></item>`;
    const publish = `<publish node="urn:xmpp:mds:displayed:0">${item}</publish>`;
    return `<iq type="set" id="${number}"><pubsub xmlns="http://jabber.org/protocol/pubsub">${publish}</pubsub></iq>`;
  },
};

interface Outcome {
  readonly cuts: number;
  readonly lost: number;
  readonly corrupt: number;
  readonly first: string;
}

describe('a power cut at any acknowledgment (XEP-0198 §4)', () => {
  before(function () {
    if (spawnSync('strace', ['-V']).error) this.skip();
  });

  for (const [what, sequence] of Object.entries({ 'messages and archives': chat, 'nodes and preferences': settings })) {
    it(`loses nothing acknowledged of ${what}`, async () => {
      const { cuts, lost, corrupt, first } = await cutsDuring(sequence);
      expect({ lost, corrupt }, first).to.deep.equal({ lost: 0, corrupt: 0 });
      expect(cuts).to.be.at.least(50);
      console.log(`      ${cuts} power cuts: ${lost} lost something acknowledged, ${corrupt} corrupt`);
    });
  }

  it('loses messages with synchronous=NORMAL: the test can fail', async () => {
    const { cuts, lost } = await cutsDuring(chat, ['--import', here('synchronous-normal.ts')]);
    expect(lost).to.be.at.least(cuts / 2);
    console.log(`      with synchronous=NORMAL ${lost} of ${cuts} power cuts lost something acknowledged`);
  });

  /** Runs a server that acknowledges stanzas one by one, and cuts the power at each acknowledgment. */
  async function cutsDuring(sequence: Sequence, nodeOptions: readonly string[] = []): Promise<Outcome> {
    const directory = await mkdtemp(join(tmpdir(), 'ampere-power-'));
    try {
      const log = join(directory, 'calls');
      await traced(directory, log, nodeOptions, sequence);
      const { stdout } = await run(
        'python3',
        [here('power-cuts.py'), log, '--db', 'ampere.db', '--query', sequence.query],
        {
          env: { ...process.env, TMPDIR: directory },
        },
      );
      return JSON.parse(stdout) as Outcome;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async function traced(
    directory: string,
    log: string,
    nodeOptions: readonly string[],
    { stanza }: Sequence,
  ): Promise<void> {
    const calls = 'trace=openat,pwrite64,write,writev,sendmsg,ftruncate,fsync,fdatasync';
    const node = [process.execPath, ...nodeOptions, here('server-program.ts'), directory, 'romeo,juliet,tybalt'];
    const server = new LineProcess('server', 'strace', [
      '-f',
      '--seccomp-bpf',
      '-xx',
      '-s',
      '70000',
      '-e',
      calls,
      '-o',
      log,
      ...node,
    ]);
    const line = await server.waitFor('its port', () => server.lines.find((each) => each.startsWith('port ')), 40_000);
    const port = Number(line.slice(5));
    const juliet = await arrives(port, 'juliet');
    juliet.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const romeo = await arrives(port, 'romeo');
    romeo.sends(`<enable xmlns="${sm}" resume="true"/>`);
    await romeo.receives(`<enabled xmlns="${sm}">...</enabled>`);
    for (let count = 1; count <= stanzas; count++) await sendsAcknowledged(romeo, count, stanza(count));
    for (const client of [romeo, juliet]) client.disconnects();
    server.write('stop');
    await server.end(40_000);
  }

  async function arrives(port: number, username: string): Promise<TestClient> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    await client.opens();
    await client.authenticates({ username, password: `${username}-password` });
    await client.binds('home');
    await client.appears();
    return client;
  }

  async function sendsAcknowledged(romeo: TestClient, count: number, stanza: string): Promise<void> {
    romeo.sends(`${stanza}<r xmlns="${sm}"/>`);
    for (;;) {
      const arrival = await romeo.connection.next('an acknowledgment');
      if (arrival.kind !== 'element') throw new Error('cut off');
      if (arrival.tree.attributes.get('type') === 'error') throw new Error(arrival.tree.raw);
      if (arrival.tree.attributes.get('h') === String(count)) return;
    }
  }
});
