import { nbxmpp } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(nbxmpp);
