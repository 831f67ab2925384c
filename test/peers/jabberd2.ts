import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import type { PeerKind, PeerPlace, PeerProgram } from './peer-kind.ts';

const modules = '/usr/lib/x86_64-linux-gnu/jabberd2';

/** jabberd2 from Debian, which knows AMP; between servers it knows dialback only. */
export const jabberd2: PeerKind = {
  name: 'jabberd2',
  packages: ['jabberd2'],
  words: {
    dialback: { proved: /outgoing route '.*' is now valid/, believed: /incoming route '.*' is now valid/ },
  },

  async programs(place) {
    const { directory } = place;
    const router = await freePort();
    const both = join(directory, 'both.pem');
    await mkdir(join(directory, 'data'));
    await writeFile(
      both,
      [await readFile(place.certificate.certificate), await readFile(place.certificate.key)].join(''),
    );
    await writeFile(join(directory, 'router-users.xml'), users);
    await writeFile(join(directory, 'router-filter.xml'), '<filter/>');
    const parts = configurations(place, router, both);
    const environment = { NAMESERVERS: place.dns.host, RES_OPTIONS: `port:${place.dns.port}` };
    const programs: PeerProgram[] = [];
    for (const { name, ready, content } of parts) {
      const file = join(directory, `${name}.xml`);
      await writeFile(file, content);
      programs.push({
        command: [`/usr/sbin/jabberd2-${name}`, '-c', file],
        environment,
        ready: [ready],
      });
    }
    return programs;
  },
};

const users = '<users><user><name>jabberd</name><secret>secret</secret></user></users>';

/** Its four programs, in the order in which they must be started. */
function configurations({ directory, domain, ports, trustedFile }: PeerPlace, router: number, both: string) {
  const log = "<log type='stdout'/>";
  const data = join(directory, 'data');
  const toRouter = `<router><ip>127.0.0.1</ip><port>${router}</port><user>jabberd</user><pass>secret</pass></router>`;
  const database = `<db><path>${data}</path></db>`;
  return [
    {
      name: 'router',
      ready: /listening for incoming connections/,
      content: `<router><id>router</id>${log}
<local><ip>127.0.0.1</ip><port>${router}</port><users>${directory}/router-users.xml</users></local>
<aci><acl type='all'><user>jabberd</user></acl><filter>${directory}/router-filter.xml</filter></aci></router>`,
    },
    {
      name: 'sm',
      ready: /ready for sessions/,
      content: `<sm><id>sm</id>${toRouter}${log}<local><id>${domain}</id></local>
<storage><path>${modules}</path><driver>db</driver>${database}</storage>
<modules><path>${modules}</path>${chains()}</modules><discovery><identity/></discovery><user/></sm>`,
    },
    {
      name: 's2s',
      ready: /ready for connections/,
      content: `<s2s><id>s2s</id>${toRouter}${log}
<local><ip>127.0.0.1</ip><port>${ports.s2s}</port><pemfile>${both}</pemfile><cachain>${trustedFile}</cachain></local>
<lookup><srv>xmpp-server</srv></lookup><security><require_tls/></security></s2s>`,
    },
    {
      name: 'c2s',
      ready: /ready for connections/,
      content: `<c2s><id>c2s</id>${toRouter}${log}
<local><id register-enable='mu' pemfile='${both}'>${domain}</id><ip>127.0.0.1</ip><port>${ports.c2s}</port></local>
<authreg><path>${modules}</path><module>db</module>${database}
<mechanisms><sasl><plain/></sasl></mechanisms><ssl-mechanisms><sasl><plain/></sasl></ssl-mechanisms></authreg></c2s>`,
    },
  ] as const;
}

/** What its session manager does, as Debian configures it. */
const work = {
  'sess-start': 'status',
  'sess-end': 'status',
  'in-sess': 'validate status roster iq-ping disco amp offline presence deliver',
  'in-router': 'session validate presence',
  'pkt-sm': 'iq-ping amp disco presence',
  'pkt-user': 'roster presence disco amp deliver offline',
  'pkt-router': 'session',
  'user-load': 'active roster',
  'user-create': 'active',
  'user-delete': 'active offline roster',
} as const;

function chains(): string {
  return Object.entries(work)
    .map(([id, names]) => {
      const named = names.split(' ').map((name) => `<module>${name}</module>`);
      return `<chain id='${id}'>${named.join('')}</chain>`;
    })
    .join('\n');
}
