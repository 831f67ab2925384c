import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Jid } from '../../protocol/jid.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { mainFile, roomsFile } from '../import/entries-in.ts';
import { exportedRoomsWithin } from './export-rooms.ts';
import { type ExportDeps, exportedFile, recordedExport, usersOf } from './export-users.ts';
import { dataFrame, hostFrame, includeElement, userEnd } from './portable-text.ts';
import { replaceFile } from './write-export.ts';

/** The folder with the documents of accounts, in a folder for each domain. */
const accountFolder = 'accounts';
/** Marks a directory whose export has not ended. */
const markerFile = 'incomplete';
/** Characters of the name of a file, at which most file systems end soon. */
const longestName = 150;

/** Dependencies of an export into a directory. */
interface DirectoryExportDeps extends ExportDeps {
  /** Called when an account is in the directory. */
  readonly exported: () => void;
}

/**
 * Writes all accounts of domains into a directory, each as a document of its own, a document that includes them (XEP-0227 §5), and all rooms.
 * If it is interrupted, another call continues: it keeps the documents that are complete.
 */
export class DirectoryExport {
  readonly #deps: DirectoryExportDeps;
  readonly #directory: string;

  constructor(deps: DirectoryExportDeps, directory: string) {
    this.#deps = deps;
    this.#directory = directory;
  }

  /** Makes the directory. Resolves with the time at which an earlier export began that is to be continued, if there is one. */
  async begin(nowMs: number): Promise<string | undefined> {
    const directory = this.#directory;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names = await readdir(directory);
    if (names.includes(markerFile)) return (await readFile(join(directory, markerFile), 'utf8')).trim();
    if (names.length > 0) throw new CommandError(exitCodes.conflict, `${directory} is not empty.`);
    await replaceFile(join(directory, markerFile), [`${new Date(nowMs).toISOString()}\n`]);
    return undefined;
  }

  /** Writes what is missing. Rejects if a document cannot be written. */
  async write(domains: readonly string[]): Promise<void> {
    const { operator } = this.#deps;
    const directory = this.#directory;
    const main = [dataFrame.begin];
    const id = await recordedExport(operator, domains);
    for (const domain of domains) {
      const { begin, end } = hostFrame(domain);
      const documents = await this.#writeUsers(id, domain);
      main.push(begin, ...documents.map((name) => includeElement(`${accountFolder}/${domain}/${name}`)), end);
    }
    main.push(dataFrame.end);
    await replaceFile(join(directory, roomsFile), exportedRoomsWithin(operator, id));
    await replaceFile(join(directory, mainFile), main);
    await rm(join(directory, markerFile));
    await syncDirectory(directory);
  }

  /** Writes the accounts of a domain. Resolves with the names of their documents. */
  async #writeUsers(id: string, domain: string): Promise<string[]> {
    const { operator, exported } = this.#deps;
    const directory = join(this.#directory, accountFolder, domain);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const written = new Set<string>();
    for await (const jid of usersOf(operator, domain)) {
      const name = fileNameOf(Jid.parse(jid).local);
      const path = join(directory, name);
      if (!(await isComplete(path))) {
        const document = await exportedFile(this.#deps, id, jid);
        if (!document) continue;
        await replaceFile(path, document);
      }
      written.add(name);
      exported();
    }
    // Accounts that were removed since an earlier attempt, and what that left unfinished.
    for (const name of await readdir(directory)) if (!written.has(name)) await rm(join(directory, name));
    await syncDirectory(directory);
    return [...written];
  }
}

/** The name of the document of an account. No two accounts of a domain have the same. */
function fileNameOf(local: string): string {
  const name = encodeURIComponent(local).replaceAll('.', '%2E');
  if (name.length <= longestName) return `${name}.xml`;
  return `${name.slice(0, longestName)}-${createHash('sha256').update(local).digest('hex')}.xml`;
}

/** Whether a document has its end. A power cut can leave a file with its name and without its content. */
async function isComplete(path: string): Promise<boolean> {
  const file = await open(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return false;
  try {
    const { size } = await file.stat();
    const end = Buffer.alloc(userEnd.length);
    await file.read(end, 0, end.length, Math.max(0, size - end.length));
    return end.toString() === userEnd;
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
