import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { logIn, Pair } from './pair.ts';
import { CrimeScene, type Figures, longestTurn, type Victim, type VictimOptions } from './victim.ts';

const program = fileURLToPath(new URL('./storm-program.ts', import.meta.url));
const { AMPERE_CONNECTIONS = '5000' } = process.env;
const connections = Number(AMPERE_CONNECTIONS);
/** As many addresses as the loopback network is asked for, each with a hundred connections. */
const addresses = 50;
const accounts = ['romeo', 'juliet', 'nurse'];

/** What became of a storm's connections. */
interface Outcome {
  readonly served: number;
  readonly refused: number;
}

describe('a storm of connections (RFC 6120 §13.12, XEP-0205 §3)', () => {
  const scene = new CrimeScene();
  let victim: Victim;
  let pair: Pair;
  let storm: LineProcess | undefined;
  afterEach(async () => {
    storm?.kill('SIGKILL');
    await storm?.end();
    storm = undefined;
    pair.part();
  });

  async function begin(options: VictimOptions): Promise<void> {
    victim = await scene.start(accounts, options);
    pair = new Pair(victim.port);
    await pair.meet();
  }

  /** A storm begins; resolves when each of its connections was served or turned away. */
  async function breaksOut(count: number): Promise<Outcome> {
    storm = new LineProcess('storm', process.execPath, [
      program,
      String(victim.port),
      String(count),
      String(addresses),
    ]);
    const line = await storm.waitFor('settled', () => storm?.lines.find((each) => each.startsWith('settled ')), 60_000);
    return JSON.parse(line.slice('settled '.length)) as Outcome;
  }

  /** All connections that were served have been closed by the server. */
  async function passes(): Promise<void> {
    await storm?.waitFor('the end', () => storm?.lines.includes('gone') || undefined, 60_000);
  }

  async function logsIn(): Promise<void> {
    const nurse = await logIn(victim.port, 'nurse');
    await nurse.settles();
    nurse.disconnects();
  }

  function load(before: Figures, after: Figures): string {
    const cpuMs = after.cpuMs - before.cpuMs;
    return `${Math.round((100 * cpuMs) / (after.atMs - before.atMs))} % of a processor, ${after.loops - before.loops} turns of the loop`;
  }

  it('does not disturb those who are logged in, and passes', async () => {
    const limits = { connections: { perIpBurst: 100 }, unauthenticated: { authenticationSeconds: 5 } };
    await begin({ settings: { limits } });
    const before = await victim.figures();
    let outcome: Outcome | undefined;
    const latencies = await pair.chatUntil(
      breaksOut(connections).then((result) => {
        outcome = result;
      }),
    );
    const { served = 0, refused = 0 } = outcome ?? {};
    expect(served + refused).to.equal(connections);
    expect(served).to.be.at.least(1);
    const during = await victim.figures();
    expect(during.descriptors - before.descriptors).to.be.at.most(2000);
    await pair.chatUntil(passes());
    await logsIn();
    const after = await victim.figuresAtRest(before);
    expect(after.descriptors).to.be.at.most(before.descriptors);
    expect(victim.logged('connections refused')).to.have.length.within(refused === 0 ? 0 : 1, 2);
    await victim.stop();
    console.log(
      `      ${connections} connections: ${served} served, ${refused} turned away; meanwhile ${latencies}, ${longestTurn(during)}`,
    );
  });

  it('leaves descriptors for the rest of the server, however many connections are allowed', async () => {
    const settings = { limits: { disabled: true, connections: { total: 100_000 } } };
    await begin({ settings, openFiles: 400 });
    const { served, refused } = await breaksOut(1000);
    expect({ served, refused }).to.deep.equal({ served: 198, refused: 802 });
    const { descriptors } = await victim.figures();
    expect(descriptors).to.be.below(300);
    await pair.chatUntil(victim.logs('"limit":"total"'));
    await victim.stop();
    console.log(`      with 400 descriptors: ${served} served, ${refused} turned away, ${descriptors} in use`);
  });

  it('when no descriptors are left takes none from those who are logged in, is no work, and passes', async () => {
    await begin({ openFiles: 400 });
    const before = await victim.figures();
    await victim.hoardsDescriptors();
    await victim.logs('no file descriptors are left');
    const served: number[] = [];
    const latencies = await pair.chatUntil(breaksOut(1000).then((outcome) => served.push(outcome.served)));
    expect(served).to.deep.equal([0]);
    victim.yieldsDescriptors();
    await victim.logs('to be had again');
    const after = await victim.figures();
    await logsIn();
    expect(victim.logged('no file descriptors are left')).to.have.length(1);
    expect(after.loops - before.loops).to.be.below(20_000);
    await victim.stop();
    console.log(`      without descriptors: ${load(before, after)}; meanwhile ${latencies}, ${longestTurn(after)}`);
  });
});
