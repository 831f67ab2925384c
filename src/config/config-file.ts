import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { JsonText, JsonTextError } from './json-text.ts';

/** Reads the JSON text of a configuration file. Throws `ConfigError` if the file cannot be read or is not JSON. */
export function readConfigFile(file: string): JsonText {
  try {
    return JsonText.read(readUtf8(file));
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new ConfigError(file, [{ path: '', ...error.position, message: error.message }]);
  }
}

function readUtf8(file: string): string {
  const start = { line: 1, column: 1 };
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new JsonTextError(`cannot be read (${error instanceof Error ? error.message : String(error)})`, start);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new JsonTextError('is not UTF-8 text', start);
  }
}
