import { execFile } from 'node:child_process';
import type { Clock, Timer } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

/** Dependencies of `Supervisor`. */
interface SupervisorDeps {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Sends one assignment, such as `READY=1`. */
  readonly notify: (assignment: string) => Promise<void>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Tells systemd the state of the server, and that it is alive (sd_notify(3)). Without `NOTIFY_SOCKET` it does nothing. Node.js has no
 * datagram sockets of the UNIX family, so the program `systemd-notify` sends each message.
 */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #isAddressed: boolean;
  #last = Promise.resolve();
  #timer: Timer | undefined;
  #isStopping = false;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#isAddressed = (deps.environment['NOTIFY_SOCKET'] ?? '') !== '';
  }

  /** The server has started, or has read its configuration again. */
  ready(): void {
    if (this.#isStopping) return;
    this.#tell('READY=1');
    this.#timer ??= this.#beat();
  }

  reloading(): void {
    this.#tell('RELOADING=1');
  }

  stopping(): void {
    this.#isStopping = true;
    this.#timer?.cancel();
    this.#tell('STOPPING=1');
  }

  /** Says twice in each period of the watchdog that the event loop turns. */
  #beat(): Timer | undefined {
    const { environment, clock } = this.#deps;
    const periodMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000;
    if (!this.#isAddressed || !(periodMs > 0)) return undefined;
    return clock.after(periodMs / 2, () => {
      this.#tell('WATCHDOG=1');
      this.#timer = this.#beat();
    });
  }

  /** Messages are sent one after the other, because their order counts. */
  #tell(assignment: string): void {
    if (!this.#isAddressed) return;
    const { notify, log } = this.#deps;
    this.#last = this.#last
      .then(() => notify(assignment))
      .catch((error: unknown) => log.warn({ err: error, assignment }, 'systemd could not be told'));
  }
}

/** Runs systemd-notify, which finds the socket in its environment. */
export function runSystemdNotify(assignment: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [assignment], (error) => (error ? reject(error) : resolve()));
  });
}
