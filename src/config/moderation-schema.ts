import { z } from 'zod';
import { address } from './fields.ts';

const maxNodeBytes = 1023;

const blockList = z.strictObject({
  service: address.describe('Address of the publish-subscribe service, such as "xmppbl.org".'),
  node: z
    .string()
    .min(1)
    .max(maxNodeBytes)
    .default('muc_bans_sha256')
    .describe('Node of the service. Its items name addresses or domains, as they are or by their SHA-256.'),
});

/** The `moderation` of the configuration. */
export const moderationSchema = z
  .strictObject({
    blockLists: z
      .array(blockList)
      .default([])
      .describe(
        'Block lists of other servers that this server follows. Listed addresses cannot enter or write in rooms unless they are members, and reach only users who know them.',
      ),
  })
  .prefault({})
  .describe('Protection against abuse from other servers. See operating.md.');
