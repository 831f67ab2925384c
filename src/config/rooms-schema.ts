import { z } from 'zod';
import { domain, flag, whole } from './fields.ts';

/** The `rooms` of the configuration. */
export const roomsSchema = z
  .strictObject({
    enabled: flag(true, 'Serve rooms. Each message in a room is written to the disk before anybody gets it.'),
    domains: z
      .array(domain)
      .min(1)
      .nullable()
      .default(null)
      .describe('The domains of rooms; null: "conference." in front of each of the domains served.'),
    max: whole(20_000, 1, 100_000_000, 'Maximum rooms on this server.'),
    maxPerOwner: whole(50, 1, 1_000_000, 'Maximum rooms that one user owns. Only users of this server create rooms.'),
    keepDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .default(365)
      .describe('How long messages are kept in the archives of rooms, in days; null keeps them for ever.'),
    maxMessagesPerRoom: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(100_000)
      .describe('Messages in the archive of one room, beyond which the oldest are removed; null for no limit.'),
  })
  .prefault({})
  .describe('Rooms for many (XEP-0045).');
