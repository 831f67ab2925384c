import { ns } from '../protocol/namespaces.ts';
import { CommandDispatcher } from '../routing/command-dispatcher.ts';
import type { DomainCommand, Extension, IqRequest } from '../routing/extension.ts';
import type { Clock } from '../support/clock.ts';

/** The ad-hoc commands that other extensions add to the domain (XEP-0050). `all` is read at each use. */
export function commands(all: () => readonly DomainCommand[], clock: Pick<Clock, 'monotonicMs'>): Extension {
  const claim = {
    spec: 'XEP-0050',
    title: 'Ad-Hoc Commands',
    version: '1.3.0',
    status: 'complete',
    note: 'for users: forwarding of messages, invitations; for administrators: XEP-0133, and rooms',
  } as const;
  const administration = {
    spec: 'XEP-0133',
    title: 'Service Administration',
    version: '1.3.1',
    status: 'partial',
    note: 'without active and idle users, whitelist, administrators, restart and shutdown',
  } as const;
  const claims = [claim, administration];
  const dispatcher = new CommandDispatcher(all, clock);
  return {
    name: 'commands',
    claims,
    get disco() {
      if (all().length === 0) return {};
      return {
        domain: [ns.commands],
        domainNodes: dispatcher.nodes(),
        domainItems: new Map([[ns.commands, (request: IqRequest) => dispatcher.items(request)]]),
      };
    },
    get iq() {
      return all().length === 0 ? [] : [dispatcher.handler(['server'])];
    },
  };
}
