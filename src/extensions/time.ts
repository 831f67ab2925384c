import { formatDateTime } from '../protocol/date-time.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';
import type { Clock } from '../support/clock.ts';
import { xml } from '../xml/element.ts';

/** Entity Time (XEP-0202), always in UTC, because an offset would reveal the location of the server (XEP-0202 §6). */
export function time(clock: Pick<Clock, 'nowMs'>): Extension {
  const answer = () =>
    xml('time', { xmlns: ns.time }, xml('tzo', {}, '+00:00'), xml('utc', {}, formatDateTime(clock.nowMs())));
  return {
    name: 'time',
    claims: [{ spec: 'XEP-0202', title: 'Entity Time', version: '2.0', status: 'complete' }],
    disco: { domain: [ns.time] },
    iq: [{ name: 'time', ns: ns.time, type: 'get', scopes: ['server'], handle: answer }],
  };
}
