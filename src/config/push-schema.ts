import { z } from 'zod';
import { flag, whole } from './fields.ts';

/** The `push` of the configuration. */
export const pushSchema = z
  .strictObject({
    enabled: flag(true, 'Let clients enable push services, which wake their devices (XEP-0357).'),
    maxPerAccount: whole(
      20,
      1,
      1000,
      'Maximum push services enabled by the devices of one account. A further one replaces the one that was enabled longest ago.',
    ),
    perMinute: whole(
      60,
      1,
      10_000,
      'Maximum notifications for one account in a minute. Above it, one notification stands for several messages.',
    ),
    sender: flag(false, 'Tell push services the address of the sender of the last message.'),
    body: flag(false, 'Tell push services the text of the last message. Clients that encrypt put a remark there.'),
  })
  .prefault({})
  .describe(
    'Push notifications (XEP-0357). A push service learns when a device gets messages and how many, and no more unless the settings allow it.',
  );
