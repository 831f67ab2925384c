import { describeFederation } from './federates.ts';
import { jabberd2 } from './jabberd2.ts';

describeFederation(jabberd2, 'dialback');
describeFederation(jabberd2, 'certificate', 'dialback');
