import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { ChatProbe, logIn } from './chat-probe.ts';
import {
  type Figures,
  longestTurn,
  ServerFixture,
  type ServerOptions,
  type ServerUnderTest,
} from './server-under-test.ts';

const program = fileURLToPath(new URL('./storm-program.ts', import.meta.url));
const { AMPERE_CONNECTIONS = '5000' } = process.env;
const connections = Number(AMPERE_CONNECTIONS);
/** The number of loopback addresses, each with a hundred connections. */
const addresses = 50;
const accounts = ['romeo', 'juliet', 'tybalt'];

/** The outcome of the connections of a storm. */
interface Outcome {
  readonly served: number;
  readonly refused: number;
}

describe('a storm of connections (RFC 6120 §13.12, XEP-0205 §3)', () => {
  const fixture = new ServerFixture();
  let server: ServerUnderTest;
  let probe: ChatProbe;
  let storm: LineProcess | undefined;
  afterEach(async () => {
    storm?.kill('SIGKILL');
    await storm?.end();
    storm = undefined;
    probe.disconnect();
  });

  async function begin(options: ServerOptions): Promise<void> {
    server = await fixture.start(accounts, options);
    probe = new ChatProbe(server.port);
    await probe.logIn();
  }

  /** Starts a storm. Resolves when each of its connections was served or refused. */
  async function breaksOut(count: number): Promise<Outcome> {
    storm = new LineProcess('storm', process.execPath, [
      program,
      String(server.port),
      String(count),
      String(addresses),
    ]);
    const line = await storm.waitFor('settled', () => storm?.lines.find((each) => each.startsWith('settled ')), 60_000);
    return JSON.parse(line.slice('settled '.length)) as Outcome;
  }

  /** Resolves when the server has closed all connections that it served. */
  async function passes(): Promise<void> {
    await storm?.waitFor('the end', () => storm?.lines.includes('gone') || undefined, 60_000);
  }

  async function logsIn(): Promise<void> {
    const tybalt = await logIn(server.port, 'tybalt');
    await tybalt.settles();
    tybalt.disconnects();
  }

  function load(before: Figures, after: Figures): string {
    const cpuMs = after.cpuMs - before.cpuMs;
    return `${Math.round((100 * cpuMs) / (after.atMs - before.atMs))} % of a processor, ${after.loops - before.loops} turns of the loop`;
  }

  it('does not disturb logged-in users, and ends', async () => {
    const limits = { connections: { perIpBurst: 100 }, unauthenticated: { authenticationSeconds: 5 } };
    await begin({ settings: { limits } });
    const before = await server.figures();
    let outcome: Outcome | undefined;
    const latencies = await probe.chatUntil(
      breaksOut(connections).then((result) => {
        outcome = result;
      }),
    );
    const { served = 0, refused = 0 } = outcome ?? {};
    expect(served + refused).to.equal(connections);
    expect(served).to.be.at.least(1);
    const during = await server.figures();
    expect(during.descriptors - before.descriptors).to.be.at.most(2000);
    await probe.chatUntil(passes());
    await logsIn();
    const after = await server.figuresAtRest(before);
    expect(after.descriptors).to.be.at.most(before.descriptors);
    expect(server.logged('connections refused')).to.have.length.within(refused === 0 ? 0 : 1, 2);
    await server.stop();
    console.log(
      `      ${connections} connections: ${served} served, ${refused} refused; meanwhile ${latencies}, ${longestTurn(during)}`,
    );
  });

  it('leaves descriptors for the rest of the server, however many connections are configured', async () => {
    const settings = { limits: { disabled: true, connections: { total: 100_000 } } };
    await begin({ settings, openFiles: 400 });
    const { served, refused } = await breaksOut(1000);
    expect({ served, refused }).to.deep.equal({ served: 198, refused: 802 });
    const { descriptors } = await server.figures();
    expect(descriptors).to.be.below(300);
    await probe.chatUntil(server.logs('"limit":"total"'));
    await server.stop();
    console.log(`      with 400 descriptors: ${served} served, ${refused} refused, ${descriptors} in use`);
  });

  it('takes no descriptors from logged-in users when none are left, costs little processor time, and ends', async () => {
    await begin({ openFiles: 400 });
    const before = await server.figures();
    await server.exhaustsDescriptors();
    await server.logs('out of file descriptors');
    const served: number[] = [];
    const latencies = await probe.chatUntil(breaksOut(1000).then((outcome) => served.push(outcome.served)));
    expect(served).to.deep.equal([0]);
    server.releasesDescriptors();
    await server.logs('file descriptors available again');
    const after = await server.figures();
    await logsIn();
    expect(server.logged('out of file descriptors')).to.have.length(1);
    expect(after.loops - before.loops).to.be.below(20_000);
    await server.stop();
    console.log(`      without descriptors: ${load(before, after)}; meanwhile ${latencies}, ${longestTurn(after)}`);
  });
});
