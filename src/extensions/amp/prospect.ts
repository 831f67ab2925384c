import type { Jid } from '../../protocol/jid.ts';
import type { DeliveryPlan } from '../../routing/delivery-plan.ts';
import type { Prospect } from './situation.ts';

/** Says a delivery plan in the words of the conditions (XEP-0079 §3.3.1). */
export function prospectOf(plan: DeliveryPlan, intended: Jid): Prospect {
  switch (plan.kind) {
    case 'direct':
      return { deliver: 'direct', destinations: plan.sessions.map(({ jid }) => jid) };
    case 'stored':
      return { deliver: 'stored', destinations: [plan.owner] };
    case 'forward':
      return { deliver: 'forward', destinations: [plan.to] };
    case 'gateway':
      return { deliver: 'gateway', destinations: [intended] };
    case 'service':
      return { deliver: 'direct', destinations: [intended] };
    case 'remote':
      return { deliver: undefined, destinations: undefined, passedOn: true };
    case 'none':
      return { deliver: 'none', destinations: [] };
  }
}
