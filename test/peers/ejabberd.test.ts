import { ejabberd } from './ejabberd.ts';
import { describeFederation } from './federates.ts';
import { describeRooms } from './rooms.ts';

for (const way of ['dialback', 'certificate'] as const) describeFederation(ejabberd, way);

describeRooms(ejabberd);
