import type { FollowedLog, Log } from '../../src/support/log.ts';

/** A log that keeps its lines, so that a test can see what the server complained about and what it gave away. */
export class RecordingLog implements FollowedLog {
  level = 'debug';
  readonly lines: string[] = [];
  /** The lines no healthy server writes. */
  readonly alarms: string[] = [];

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.alarms.push(this.#keep('error', fields, message));
  }

  readonly #followers = new Set<(line: string) => void>();

  follow(take: (line: string) => void): () => void {
    this.#followers.add(take);
    return () => void this.#followers.delete(take);
  }

  /** Resolves when a line with this text comes. */
  hears(text: string): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.follow((line) => {
        if (!line.includes(text)) return;
        stop();
        resolve();
      });
    });
  }

  child(): Log {
    return this;
  }

  #keep(level: string, fields: object, message: string): string {
    const line = `${level} ${message} ${JSON.stringify(fields, (_key, value: unknown) => readable(value))}`;
    this.lines.push(line);
    for (const take of this.#followers) take(line);
    return line;
  }
}

function readable(value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
