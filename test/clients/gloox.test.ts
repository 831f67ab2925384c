import { gloox } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(gloox);
