import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { SecretStore } from '../storage/secrets.ts';

const algorithm = 'aes-128-ecb';
const keyBytes = 16;
const written = /^[\w-]{22}$/;
const two32 = 2 ** 32;

/**
 * The ids of archived messages as clients see them: one encrypted block of an archive and an id, as 22 characters. So nobody can guess an
 * id or learn anything from one (XEP-0313 §3, XEP-0359 §6). An id can be read without a look at the disk, and remains a position in the
 * archive when its message is gone.
 */
export class ArchiveIds {
  readonly #cipher;
  readonly #decipher;

  /** The key is a secret of the installation. */
  constructor(key: Buffer) {
    const used = key.subarray(0, keyBytes);
    // Each block stands for itself, so one cipher serves all of them.
    this.#cipher = createCipheriv(algorithm, used, null).setAutoPadding(false);
    this.#decipher = createDecipheriv(algorithm, used, null).setAutoPadding(false);
  }

  write(archive: number, id: number): string {
    const block = Buffer.allocUnsafe(16);
    writeNumber(block, archive, 0);
    writeNumber(block, id, 8);
    return this.#cipher.update(block).toString('base64url');
  }

  /** The id of a message of this archive; undefined for any other text. */
  read(archive: number, text: string): number | undefined {
    if (!written.test(text)) return undefined;
    const block = this.#decipher.update(text, 'base64url');
    const id = readNumber(block, 8);
    // Some last characters stand for the same bytes.
    return readNumber(block, 0) === archive && this.write(archive, id) === text ? id : undefined;
  }
}

function writeNumber(block: Buffer, number: number, at: number): void {
  block.writeUInt32BE(Math.floor(number / two32), at);
  block.writeUInt32BE(number % two32, at + 4);
}

function readNumber(block: Buffer, at: number): number {
  return block.readUInt32BE(at) * two32 + block.readUInt32BE(at + 4);
}

/** The ids under a key of the installation, which is read at the first call. After a failure the next call reads it again. */
export function archiveIdsOf(secrets: SecretStore, key: string): () => Promise<ArchiveIds> {
  let reading: Promise<ArchiveIds> | undefined;
  return () => {
    reading ??= secrets.get(key).then(
      (secret) => new ArchiveIds(secret),
      (error: unknown) => {
        reading = undefined;
        throw error;
      },
    );
    return reading;
  };
}
