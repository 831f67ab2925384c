import { strophe } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(strophe);
