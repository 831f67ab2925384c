import { slixmpp } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(slixmpp);
