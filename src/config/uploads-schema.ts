import { z } from 'zod';
import { flag, whole } from './fields.ts';

const mebibyte = 2 ** 20;
const tebibyte = 2 ** 40;

/** The `uploads` of the configuration. */
export const uploadsSchema = z
  .strictObject({
    enabled: flag(
      true,
      'Let users upload files for their contacts. Clients need an HTTP listener that they reach over TLS: `listen.https`, or a proxy and `web.publicUrl` with `https`.',
    ),
    maxFileBytes: whole(100 * mebibyte, 1, tebibyte, 'Maximum bytes of one file.'),
    maxBytesPerDay: whole(500 * mebibyte, 1, tebibyte, 'Maximum bytes that one account uploads in 24 hours.'),
    maxBytesPerAccount: whole(
      1024 * mebibyte,
      1,
      tebibyte,
      'Bytes of all files of one account, beyond which the oldest are removed.',
    ),
    maxBytes: whole(10_240 * mebibyte, 1, 1024 * tebibyte, 'Maximum bytes of all files of all accounts.'),
    keepDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .default(30)
      .describe('How long files are kept, in days; null keeps them for ever.'),
    reserveBytes: whole(
      512 * mebibyte,
      0,
      tebibyte,
      'Bytes of the disk that uploads leave free. While less would be left, the server accepts no files.',
    ),
  })
  .prefault({})
  .describe('Files that users upload for their contacts (XEP-0363).');
