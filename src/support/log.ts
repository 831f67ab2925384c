import { pino } from 'pino';

/** Where the server says what happens. Never a password, a SASL payload or a message body. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that adds `fields` to every line. */
  child(fields: object): Log;
}

/** How to log: `auto` is pretty on a terminal and one JSON object a line elsewhere. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'auto' | 'json' | 'pretty';
}

/** A log whose level can change while the server runs. */
export interface AdjustableLog extends Log {
  level: string;
}

/** Bidirectional overrides and C1 controls make a terminal show what was not said. JSON escapes the C0 controls itself. */
const misleading = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Escapes the characters that could disguise a log line. */
export function escapeControls(line: string): string {
  return line.replace(misleading, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Opens the log on standard output. */
export async function createLog(options: LogOptions): Promise<AdjustableLog> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY);
  const target = pretty ? await prettyStream() : process.stdout;
  const destination = { write: (line: string) => void target.write(escapeControls(line)) };
  const log: AdjustableLog = pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return log;
}

async function prettyStream(): Promise<{ write(line: string): unknown }> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ colorize: process.stdout.isTTY, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
}

/** Says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
