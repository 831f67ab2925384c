import { describeBlockLists } from './block-lists.ts';
import { ejabberd, ejabberdWith } from './ejabberd.ts';
import { describeFederation } from './federates.ts';
import { describeRooms } from './rooms.ts';

for (const way of ['dialback', 'certificate'] as const) describeFederation(ejabberd, way);

describeRooms(ejabberd);

const modules = '  mod_pubsub: { access_createnode: all, max_items_node: 1000, plugins: [flat] }';
describeBlockLists(ejabberdWith({ modules, httpPort: undefined }), { restarts: false });
