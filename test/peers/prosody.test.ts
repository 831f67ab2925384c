import { describeBlockLists } from './block-lists.ts';
import { describeFederation, describeOneStream } from './federates.ts';
import { needsPackages } from './needs-packages.ts';
import { prosody } from './prosody.ts';
import { describeRooms } from './rooms.ts';

for (const way of ['dialback', 'certificate'] as const) describeFederation(prosody, way);

describe('Ampere and Prosody, by one stream', () => {
  needsPackages(prosody.packages);
  describeOneStream(prosody);
});

describeRooms(prosody);
describeBlockLists(prosody, { restarts: true });
