import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Log } from '../support/log.ts';

/**
 * Detects that the process, or the machine, can open no more files. Nothing else reports this: libuv then accepts waiting connections
 * and silently closes them at once, which avoids a busy loop.
 */
export class DescriptorWatch {
  readonly #log: Pick<Log, 'warn'>;
  #exhausted = false;

  constructor(log: Pick<Log, 'warn'>) {
    this.#log = log;
  }

  /** Checks whether a file can be opened, and logs changes. */
  look(): void {
    const code = failureToOpen();
    const exhausted = code === 'EMFILE' || code === 'ENFILE';
    if (exhausted === this.#exhausted) return;
    this.#exhausted = exhausted;
    if (exhausted) this.#log.warn({ code }, 'out of file descriptors; closing new connections');
    else this.#log.warn({}, 'file descriptors available again');
  }
}

/** The error of opening a file, if any. The file is closed at once. */
function failureToOpen(): string | undefined {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
