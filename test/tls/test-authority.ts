import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from '../../src/tls/certificate-files.ts';
import { authorityCertificate, serverCertificate } from '../../src/tls/issue-certificate.ts';

const hourMs = 3_600_000;

/** What to make a certificate with, where it matters. */
export interface Wanted {
  readonly commonName?: string;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly passphrase?: string;
}

/** A directory of its own for every test, with an authority that makes certificates in it. */
export class TestAuthority {
  directory = '';
  readonly #issuer = { commonName: 'Test authority', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  readonly #validity = { notBeforeMs: Date.now() - hourMs, notAfterMs: Date.now() + 365 * 24 * hourMs };
  /** The certificate of the authority. */
  pem = '';

  constructor() {
    before(async () => {
      this.pem = await authorityCertificate({ ...this.#issuer, ...this.#validity }, this.#issuer);
    });
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), 'ampere-tls-'));
    });
    afterEach(() => rmSync(this.directory, { recursive: true }));
  }

  /** Writes a certificate for the names and its key. */
  async issue(file: string, names: readonly string[], wanted: Wanted = {}): Promise<CertificateFiles> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const content = { commonName: file, publicKey, ...this.#validity, ...wanted };
    const certificate = this.write(`${file}.pem`, await serverCertificate(content, this.#issuer, names));
    return { certificate, key: this.write(`${file}.key`, keyPem(privateKey, wanted.passphrase)) };
  }

  /** Writes a file that only its owner can read. */
  write(name: string, content: string | Buffer): string {
    const file = join(this.directory, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }
}

function keyPem(key: KeyObject, passphrase: string | undefined): string | Buffer {
  const format = { type: 'pkcs8', format: 'pem' } as const;
  return key.export(passphrase === undefined ? format : { ...format, cipher: 'aes-256-cbc', passphrase });
}
