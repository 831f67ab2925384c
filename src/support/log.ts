import { Writable } from 'node:stream';

/** The log of the server. Never contains a password, a SASL payload or a message body. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that adds `fields` to every line. */
  child(fields: object): Log;
}

/** The level and format of the log. `auto` is `pretty` on a terminal, and one JSON object per line elsewhere. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'auto' | 'json' | 'pretty';
  /** The file that lines are added to; standard output if absent. */
  readonly file?: string | undefined;
}

/** A log whose level can change while the server runs. */
export interface AdjustableLog extends Log {
  level: string;
}

/** A log whose lines others can read while they are written. */
export interface FollowedLog extends AdjustableLog {
  /** Calls `take` with each line from now on, in JSON. Returns the function that ends this. */
  follow(take: (line: string) => void): () => void;
}

/** The log of a process. */
export interface ProcessLog extends FollowedLog {
  /** Opens its file again by its name, after something has renamed it. Does nothing on standard output. */
  reopen(): void;
}

/** Bidirectional overrides and C1 controls, which make a terminal show something else. JSON already escapes C0 controls. */
const misleading = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Escapes the characters that could disguise a log line. */
export function escapeControls(line: string): string {
  return line.replace(misleading, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Takes the log, one line at a time. */
export interface LineSink {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/** Opens the log: in its file, or else on `output`. Throws if the file cannot be opened. */
export async function createLog(options: LogOptions, output: LineSink = process.stdout): Promise<ProcessLog> {
  const { file } = options;
  if (file === undefined) return openLog(options, output, () => undefined);
  const { destination } = await import('pino');
  // Synchronous, so that the last lines of a process that ends are in the file.
  const opened = destination({ dest: file, sync: true, mkdir: true, mode: 0o640 });
  return openLog(options, opened, () => opened.reopen());
}

async function openLog(options: LogOptions, output: LineSink, reopen: () => void): Promise<ProcessLog> {
  const { isTTY = false } = output;
  const escaped: LineSink = { write: (line) => void output.write(escapeControls(line)) };
  const pretty = options.format === 'pretty' || (options.format === 'auto' && isTTY);
  const written = pretty ? await prettyLines(escaped, isTTY) : escaped;
  const followers = new Set<(line: string) => void>();
  // Imported late: commands use this module for other things than a log.
  const { pino } = await import('pino');
  const log = pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write: (line: string) => {
        written.write(line);
        for (const take of followers) take(line);
      },
    },
  );
  return Object.assign(log, {
    reopen,
    follow: (take: (line: string) => void) => {
      followers.add(take);
      return () => void followers.delete(take);
    },
  });
}

async function prettyLines({ write }: LineSink, colorize: boolean): Promise<LineSink> {
  const { default: pretty } = await import('pino-pretty');
  // It decodes the escapes in the JSON, so its output must be escaped again.
  return pretty({
    colorize,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    destination: new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        write(text);
        done();
      },
    }),
  });
}

/** A log that drops everything. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
