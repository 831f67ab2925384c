import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../support/clock.ts';
import type { Dialler, DialWatch } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { Target } from './federation-options.ts';
import type { CertificateVerdict } from './peer-certificate.ts';

/** One step of a test connection to another server, and its result. */
export interface TestStep {
  readonly step: 'addresses' | 'connection' | 'TLS' | 'certificate' | 'stream' | 'authentication';
  readonly ok: boolean;
  /** For people. It may quote the other server. */
  readonly detail: string;
}

/** A test connection to another server, step by step. */
export interface LinkTestReport {
  readonly steps: readonly TestStep[];
  /** Whether the stream opened, so that stanzas could be sent. */
  readonly reached: boolean;
}

/** Dependencies of a test. */
interface LinkTestDeps {
  readonly dialler: Pick<Dialler, 'dial'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly timeoutMs: number;
}

/** Opens a stream to another server as a test and closes it again. Never rejects. */
export async function testLink(pair: DomainPair, { dialler, clock, timeoutMs }: LinkTestDeps): Promise<LinkTestReport> {
  const test = new LinkTest(pair.remote);
  const abort = new AbortController();
  const timer = clock.after(timeoutMs, () => abort.abort(DialFailure.unreachable('timed out')));
  try {
    const { stream, proof } = await dialler.dial(pair, 'send', abort.signal, test);
    stream.close();
    return test.reached(proof);
  } catch (error) {
    return test.failedFor(error instanceof Error ? error.message : String(error));
  } finally {
    timer.cancel();
  }
}

/** Records the steps of opening a stream to another server. */
class LinkTest implements DialWatch {
  readonly #steps: TestStep[] = [];
  readonly #remote: string;
  /** Whether the current target accepted the connection. */
  #connected = false;

  constructor(remote: string) {
    this.#remote = remote;
  }

  found(targets: readonly Target[]): void {
    for (const { host, port, tls, fixed } of targets) {
      const source = fixed ? 's2s.overrides' : 'DNS';
      this.#add('addresses', true, `${host} port ${port}, ${tls === 'direct' ? 'direct TLS' : 'STARTTLS'} (${source})`);
    }
  }

  connected({ host, port }: Target, { remoteAddress }: Socket): void {
    this.#connected = true;
    this.#add('connection', true, `${host}: connected to ${remoteAddress} port ${port}`);
  }

  secured(tls: TLSSocket, verdict: CertificateVerdict): void {
    this.#add('TLS', true, `${tls.getProtocol()}, ${tls.getCipher().standardName}`);
    const { valid_to: until } = tls.getPeerCertificate();
    const good = `names ${this.#remote}, valid until ${until}`;
    this.#add('certificate', verdict.trusted, verdict.trusted ? good : verdict.reason);
  }

  failed({ host, port }: Target, failure: DialFailure): void {
    const step = this.#connected ? 'stream' : 'connection';
    this.#connected = false;
    this.#add(step, false, `${host} port ${port}: ${failure.message}`);
  }

  reached(proof: string | undefined): LinkTestReport {
    this.#add('authentication', true, `authenticated by ${proof}`);
    return { steps: this.#steps, reached: true };
  }

  failedFor(reason: string): LinkTestReport {
    // Without a failed target, the lookup of the addresses failed.
    const blamed = this.#steps.some(({ step, ok }) => !ok && (step === 'stream' || step === 'connection'));
    if (!blamed) this.#add('addresses', false, reason);
    return { steps: this.#steps, reached: false };
  }

  #add(step: TestStep['step'], ok: boolean, detail: string): void {
    this.#steps.push({ step, ok, detail });
  }
}
