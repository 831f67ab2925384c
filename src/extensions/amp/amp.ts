import { ns } from '../../protocol/namespaces.ts';
import type { Extension } from '../../routing/extension.ts';
import { then } from '../../routing/maybe-promise.ts';
import type { Routing } from '../../routing/routing.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { xml } from '../../xml/element.ts';
import { messageOperations } from './operator/message-operations.ts';
import { OperatorMessages } from './operator/operator-messages.ts';
import { featuresOf } from './rules/vocabulary.ts';
import { AmpService, type AmpStore } from './run/amp-service.ts';
import type { AmpOptions } from './settings.ts';

/** The options of AMP, and what else of the configuration it has to know. */
interface Options {
  readonly amp: AmpOptions;
  readonly domains: readonly string[];
  /** The domains of components. */
  readonly components: readonly string[];
}

/** Dependencies of AMP. */
interface AmpDeps {
  readonly software: { readonly name: string };
  readonly options: Options;
  readonly routing: Routing;
  readonly store: AmpStore;
  readonly clock: Clock;
  readonly log: Log;
}

const claim = {
  spec: 'XEP-0079',
  title: 'Advanced Message Processing',
  version: '1.2',
  status: 'complete',
  note: 'all actions and conditions, on one server and between servers',
} as const;

/** Advanced Message Processing (XEP-0079), and the operations that send messages with rules or explain them. */
export function amp(deps: AmpDeps): Extension<Pick<Options, 'amp'>> {
  const { software, options } = deps;
  const service = makeService(deps);
  const messages = makeOperatorMessages(deps, service);
  const base: Extension<Pick<Options, 'amp'>> = {
    name: 'amp',
    claims: [claim],
    operations: messageOperations.map(({ bind }) => bind(messages)),
    status: () => service.counters.status(),
    metrics: service.counters.metrics(),
    reload: (changed) => () => service.reload(changed.amp),
  };
  if (!options.amp.enabled) return base;
  return {
    ...base,
    // Some clients look for single actions and conditions on the domain itself.
    get disco() {
      const features = featuresOf(service.settings.limits.vocabulary);
      const node = { identities: [{ category: 'im', type: 'server', name: software.name }], features };
      return { domain: features, domainNodes: new Map([[ns.amp, node]]) };
    },
    streamFeatures: (stage) => (stage === 'unauthenticated' ? [] : [xml('amp', { xmlns: ns.ampFeature })]),
    judge: (passage) => service.judge.hear(passage),
    settleDue: (account) => service.settleDue(account),
    recall: (passage, plan, sentAtMs) => service.judge.recall(passage, plan, sentAtMs),
    opened: () => service.start(),
    closing: () => service.stop(),
  };
}

function makeService({ routing, options, store, clock, log }: AmpDeps): AmpService {
  const { hooks } = routing;
  const isInFlight = (owner: string, id: number) => hooks.messageStore?.isInFlight(owner, id) ?? false;
  return new AmpService({ ...routing, options: options.amp, store, isInFlight, clock, log });
}

function makeOperatorMessages({ routing, options, clock }: AmpDeps, { judge }: AmpService): OperatorMessages {
  const { accounts, mailboxes, router, route } = routing;
  return new OperatorMessages({
    domains: options.domains,
    components: options.components,
    hasAccount: (jid) => then(accounts.get(jid), (account) => account !== undefined),
    clock,
    mailboxes,
    route: (message) => route(message, { byOperator: true }),
    explain: (message, sender, recipient, nowMs) =>
      then(router.plan(message, sender, recipient), ({ passage, plan }) => judge.explain(passage, plan, nowMs)),
  });
}
