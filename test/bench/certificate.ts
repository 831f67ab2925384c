import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { domain } from './accounts.ts';

const run = promisify(execFile);

/** The files of a certificate: apart, and both in one. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** Makes the certificate all servers use: ECDSA P-256, self-signed. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const file = (name: string): string => join(directory, name);
  const files = { certificate: file('certificate.pem'), key: file('key.pem'), both: file('both.pem') };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key];
  const subject = ['-subj', `/CN=${domain}`, '-addext', `subjectAltName=DNS:${domain}`];
  await run('openssl', ['req', '-x509', ...key, ...subject, '-days', '2', '-out', files.certificate]);
  const parts = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  await writeFile(files.both, Buffer.concat(parts));
  return files;
}
