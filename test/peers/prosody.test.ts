import { describeFederation } from './federates.ts';
import { prosody } from './prosody.ts';

for (const way of ['dialback', 'certificate'] as const) describeFederation(prosody, way);
