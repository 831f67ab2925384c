import { ns } from '../../protocol/namespaces.ts';
import type { Extension } from '../../routing/extension.ts';
import { xml } from '../../xml/element.ts';
import { type MessageDesk, messageOperations } from './desk/message-operations.ts';
import { featuresOf } from './rules/vocabulary.ts';
import type { AmpService } from './run/amp-service.ts';

/**
 * Advanced Message Processing (XEP-0079). `serverName` is that of the identity of its node; `desk` carries out what an operator asks for
 * about messages.
 */
export function amp(works: AmpService, serverName: string, desk?: MessageDesk): Extension {
  const claim = {
    spec: 'XEP-0079',
    title: 'Advanced Message Processing',
    version: '1.2',
    status: 'complete',
    note: 'all actions and conditions, on one server and between servers; stored in an archive means nothing until there is one',
  } as const;
  const operations = desk ? messageOperations.map(({ bind }) => bind(desk)) : [];
  const status = () => works.counters.status();
  if (!works.enabled) return { name: 'amp', claims: [claim], operations, status };
  const features = featuresOf(works.settings.limits.vocabulary);
  const node = { identities: [{ category: 'im', type: 'server', name: serverName }], features };
  return {
    name: 'amp',
    claims: [claim],
    // Some clients look for single actions and conditions on the domain itself.
    disco: { domain: features, domainNodes: new Map([[ns.amp, node]]) },
    streamFeatures: (stage) => (stage === 'unauthenticated' ? [] : [xml('amp', { xmlns: ns.ampFeature })]),
    judge: (passage) => works.judge.hear(passage),
    settleDue: (account) => works.settleDue(account),
    recall: (passage, plan, sentAtMs) => works.judge.recall(passage, plan, sentAtMs),
    operations,
    status,
    opened: () => works.start(),
    closing: () => works.stop(),
  };
}
