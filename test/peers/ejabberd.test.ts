import { ejabberd } from './ejabberd.ts';
import { describeFederation } from './federates.ts';

for (const way of ['dialback', 'certificate'] as const) describeFederation(ejabberd, way);
