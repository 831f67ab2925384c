import { xmppJs } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(xmppJs);
